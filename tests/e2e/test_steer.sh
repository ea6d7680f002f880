#!/usr/bin/env bash
# pause, resume, approve and abort from another terminal, and recover with on_crash: resume.
. "$(dirname "$0")/lib.sh"

steer() { # EXPECTED_STATUS COMMAND...
	local expected=$1 status=0
	shift
	"$CANARYCTL" --config "$CONFIG" "$@" >"$WORK/steer.out" 2>"$WORK/steer.err" || status=$?
	assert_equal "$status" "$expected" "exit code of $1 ($(head -c 300 "$WORK/steer.err"))"
}

phase_is() { # PHASE
	"$CANARYCTL" --config "$CONFIG" status --format json | jq -e --arg phase "$1" '.phase == $phase'
}

start_rollout() { # STAGES OBSERVE [PHASE]
	CFG_STAGES=$1 CFG_OBSERVE=$2 CFG_CHECKS='' CFG_SHARE='' write_config
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the rollout gets there" phase_is "${3:-observing}"
}

evaluated() { # TIMES
	[ "$(grep -c '"event":"evaluated"' "$OUT")" -ge "$1" ]
}

pause_and_resume() {
	start_rollout '[50]' 2s
	steer 0 pause
	wait_until 5 "it is paused" phase_is paused
	steer 2 approve
	# More than the eight evaluations of the whole stage.
	wait_until 10 "its time would be over" evaluated 12
	phase_is paused || fail "it did not stay paused"
	steer 0 resume
	ctl_wait 20
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded"'
}

abort_it() {
	start_rollout '[50, 100]' 60s
	steer 0 abort --reason 'wrong version'
	ctl_wait 20
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and (.reason.message | test("wrong version"))'
	all_on_production
}

approve_it() {
	start_rollout '[5, { weight: 50, approval: required }]' 1s
	wait_until 10 "it asks for approval" phase_is awaiting_approval
	weight_is 5 || fail "the proof says $(proof canary) while nobody has approved"
	steer 0 approve --as on-call --by 'Kim Lee'
	ctl_wait 20
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded" and .traffic.canary_weight == 50'
}

approve_first() {
	start_rollout '[{ weight: 5, approval: required }, 50]' 1s awaiting_approval
	weight_is 0 || fail "before the approval the proof says $(proof canary)"
	steer 0 approve --as engineering-lead --by ana
	ctl_wait 20
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded" and (.stages | map(.state)) == ["passed", "passed"]'
}

abort_first() {
	start_rollout '[{ weight: 5, approval: required }, 50]' 1s awaiting_approval
	steer 0 abort
	ctl_wait 10
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and (.stages | map(.state)) == ["pending", "pending"]'
	weight_is 0 || fail "the proof says $(proof canary)"
}

nobody_approves() {
	CFG_EXTRA='approval: { deadline: 1s }' start_rollout '[5, { weight: 50, approval: required }]' 1s
	ctl_wait 20
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and (.reason.message | test("nobody approved"))'
}

nothing_runs() {
	CFG_CHECKS='' write_config
	steer 69 pause
	steer 69 abort
}

recover_resumes() {
	CFG_EXTRA='  on_crash: resume' write_crash_config
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 20 "the second stage is observed" weight_is 50
	stop deploy KILL
	ctl recover
	assert_status 0
	assert_output 'resuming v0.2.0 at stage 2'
	weight_is 50 || fail "the proof says $(proof canary)"
	ctl status --format json
	assert_json "$OUT" '.phase == "completed"'
}

write_crash_config() {
	CFG_STAGES='[5, 50]' CFG_OBSERVE=2s CFG_CHECKS='' CFG_SHARE='' write_config
}

scenario_begin steer
start_refapp production v0.1.0
start_canary
start_site 2
run_case pause_and_resume 'pause and resume'
run_case abort_it 'abort'
run_case approve_it 'approve'
run_case approve_first 'the first stage can ask for approval'
run_case abort_first 'abort before the first stage was approved'
run_case nobody_approves 'an approval that nobody gives has an end'
run_case nothing_runs 'no rollout is running'
run_case recover_resumes 'recover goes on at the stage, with on_crash: resume'
scenario_end
