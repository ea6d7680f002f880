#!/usr/bin/env bash
# rollback from another terminal: while a rollout runs, after one was killed, with none at all, and
# with everything broken that it must not need.
. "$(dirname "$0")/lib.sh"

start_rollout() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s write_config
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	wait_until 5 "the stage is observed" observing
}

observing() {
	"$CANARYCTL" --config "$CONFIG" status --format json | jq -e '.phase == "observing"'
}

rollback_command() { # ARGUMENT...; like ctl, beside a rollout whose output must stay
	local status=0
	timeout 60 "$CANARYCTL" --config "$CONFIG" rollback "$@" >"$WORK/rollback.out" 2>"$WORK/rollback.err" || status=$?
	assert_equal "$status" 0 "exit code of rollback"
}

while_a_rollout_runs() {
	start_load
	start_rollout
	rollback_command --reason 'not today'
	all_on_production
	ctl_wait 15
	stop_load
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" or .outcome == "aborted"'
	assert_json "$REPORT" '.traffic | .canary_weight == 0 and .proven'
	assert_json "$REPORT" '.reason.message | test("not today")'
	assert_json "$WORK/load.json" '.failed == 0'
}

after_kill_9() {
	start_rollout
	stop deploy KILL
	rollback_command
	all_on_production
	weight_is 0 || fail "the proof says $(proof canary)"
	ctl status --format json
	assert_json "$OUT" '.canary_weight == 0 and .owner_pid == null'
}

deploy_after_kill_9() {
	CFG_STAGES='[50]' CFG_CHECKS='checks: []' CFG_SHARE='' write_config
	ctl deploy --version v0.2.0 --yes
	assert_status 0
	ctl rollback
	assert_status 0
}

deploy_on_an_interrupted_rollout() {
	start_rollout
	stop deploy KILL
	ctl deploy --version v0.2.0 --yes
	assert_status 75
	assert_error "canaryctl (recover|rollback)"
	weight_is 50 || fail "the weights changed to $(proof canary)"
	ctl rollback
	assert_status 0
}

with_no_rollout_at_all() {
	write_config
	rm -rf "$STATE_DIR"
	ctl rollback
	assert_status 0
	all_on_production
	ctl rollback
	assert_status 0
}

with_a_corrupt_state_database() {
	local file
	write_config
	ctl weights set 50
	assert_status 0
	find "$STATE_DIR" -type f -size +1k >"$WORK/state-files"
	[ -s "$WORK/state-files" ] || fail "no state database under $STATE_DIR"
	while read -r file; do
		head -c 4096 /dev/urandom >"$file"
	done <"$WORK/state-files"
	ctl rollback
	assert_status 0
	assert_error "state|database|recorded"
	all_on_production
	rm -rf "$STATE_DIR"
}

with_prometheus_down_and_the_canary_dead() {
	write_config
	ctl weights set 50
	assert_status 0
	stop prometheus KILL
	stop canary KILL
	ctl rollback
	assert_status 0
	all_on_production
}

scenario_begin rollback
start_scene 2
run_case while_a_rollout_runs 'while a rollout runs: that process is told, and ends'
run_case after_kill_9 'after the rollout was killed with -9'
run_case deploy_after_kill_9 'the next deploy begins from a proven 0 %'
run_case deploy_on_an_interrupted_rollout 'deploy while the canary still has traffic from a killed one'
run_case with_no_rollout_at_all 'with no rollout and no state, twice'
run_case with_a_corrupt_state_database 'with a corrupt state database'
run_case with_prometheus_down_and_the_canary_dead 'with Prometheus and the canary dead'
scenario_end
