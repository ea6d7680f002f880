#!/usr/bin/env bash
# A healthy canary goes to 100 % on the shipped configuration, under load, and no client notices. What
# other terminals see meanwhile is checked in the same rollout.
. "$(dirname "$0")/lib.sh"

before_anything() {
	write_config
	ctl status --format json
	assert_status 0
	assert_json "$OUT" '.service == "fragrance-ai" and .phase == "idle" and .owner_pid == null and .deployment == null'
}

healthy_to_100() {
	CFG_STAGES='[1, 5, 25, 100]' CFG_MIN_SAMPLES=3 write_config
	start_load
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT" \
		--junit "$WORK/junit.xml"
	status_from_another_terminal
	second_deploy_is_refused
	ctl_wait 60
	stop_load

	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded" and .service == "fragrance-ai" and .version == "v0.2.0"'
	assert_json "$REPORT" '[.stages[] | [.index, .weight, .state]]
		== [[1, 1, "passed"], [2, 5, "passed"], [3, 25, "passed"], [4, 100, "passed"]]'
	assert_json "$REPORT" '.traffic | .canary_weight == 100 and .production_weight == 0 and .proven'
	assert_json "$REPORT" '.traffic.generation | length > 0'
	assert_json "$REPORT" '.deployment | test("^[0-9]{8}T[0-9]{6}Z-v0.2.0$")'
	assert_json "$REPORT" '.stages[3].checks | map(select(.name == "error-rate")) | .[0]
		| .result == "PASS" and .value == 0 and .samples > 3 and .evaluations > 3'
	assert_between "$(grep -c '<testsuite .*stage' "$WORK/junit.xml")" 4 4 "the number of stages in the JUnit file"
	! grep -Eq '<(failure|error)' "$WORK/junit.xml" || fail "a failure in the JUnit file"
	# JSON Lines on stdout, and the last of them carries the very report that --output got.
	jq -e . "$OUT" >/dev/null || fail "stdout is not JSON Lines"
	tail -n 1 "$OUT" | jq -S .report >"$WORK/finished"
	assert_equal "$(cat "$WORK/finished")" "$(jq -S . "$REPORT")" "the report in the last event"
	assert_json <(head -n 1 "$OUT") '.time and .event and .deployment'

	assert_equal "$(canary_hits 100)" 100 "requests of 100 on the canary"
	assert_json "$WORK/load.json" '.requests > 1000 and .failed == 0'
}

status_from_another_terminal() {
	wait_until 20 "a stage is observed" status_shows '.phase == "observing" and .stage >= 2'
	status_shows ".owner_pid == $(pid_of deploy)" || fail "status does not name the owner"
	status_shows '.service == "fragrance-ai" and .version == "v0.2.0" and .proven == true'
	"$CANARYCTL" --config "$CONFIG" status >"$WORK/status.txt"
	grep -q 'observing' "$WORK/status.txt" || fail "no phase in $(cat "$WORK/status.txt")"
}

status_shows() { # FILTER
	"$CANARYCTL" --config "$CONFIG" status --format json | jq -e "$1" >/dev/null
}

second_deploy_is_refused() {
	local status=0
	"$CANARYCTL" --config "$CONFIG" deploy --version v0.2.0 --yes >/dev/null 2>"$WORK/second" || status=$?
	assert_equal "$status" 75 "exit code of a second deploy"
	grep -q "$(pid_of deploy)" "$WORK/second" || fail "the owner is not named: $(cat "$WORK/second")"
}

after_success() {
	ctl status --format json
	assert_status 0
	assert_json "$OUT" '.phase == "completed" and .canary_weight == 100 and .owner_pid == null'
	ctl weights get --format json
	assert_status 0
	assert_json "$OUT" '.canary_weight == 100 and .production_weight == 0 and .proven and (.braked | not)'
	ctl rollback --reason 'end of the test'
	assert_status 0
	all_on_production
	ctl status --format json
	assert_json "$OUT" '.phase == "rolled_back" and .canary_weight == 0 and .proven'
}

text_on_a_pipe() {
	CFG_STAGES='[50, 100]' write_config
	start_load
	ctl deploy --version 0.2.0 --yes
	stop_load
	assert_status 0
	grep -q $'\033' "$OUT" && fail "escape sequences on a pipe"
	assert_output 'CANARY DEPLOYMENT'
	assert_output 'STAGE 1/2.*50 ?%'
	assert_output 'STAGE 2/2.*100 ?%'
	assert_output 'error-rate'
	ctl rollback
	assert_status 0
}

start_at_a_later_stage() {
	CFG_STAGES='[5, 50, 100]' write_config
	start_load
	ctl deploy --version v0.2.0 --yes --stages 10,50,100 --start-stage 100 --observation-period 3 --output "$REPORT"
	stop_load
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded" and .stages[-1].weight == 100'
	assert_json "$REPORT" '[.stages[] | select(.state == "passed") | .weight] == [100]'
	ctl rollback
}

scenario_begin healthy
start_scene 2
run_case before_anything 'status before anything'
run_case healthy_to_100 'a healthy canary goes to 100 %, no client request fails'
run_case after_success 'status, weights and rollback after it'
run_case text_on_a_pipe 'plain text on a pipe'
run_case start_at_a_later_stage '--stages, --start-stage and --observation-period'
scenario_end
