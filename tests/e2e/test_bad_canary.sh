#!/usr/bin/env bash
# Canaries that must not live: each is rolled back by itself, for the reason that is true, and the
# traffic is proven back on production.
. "$(dirname "$0")/lib.sh"

# A rollout of two stages that the canary's fault ends; afterwards the canary is healthy again.
deploy_with_fault() { # FAULT...
	canary_fault "$@"
	start_load
	ctl deploy --version v0.2.0 --yes --format json --output "$REPORT"
	stop_load
	canary_fault reset
}

assert_rolled_back_by() { # CHECK
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back"'
	assert_json "$REPORT" ".reason.check == \"$1\" and .reason.result == \"FAIL\" and (.reason.message | length > 10)"
	assert_json "$REPORT" '.traffic | .canary_weight == 0 and .production_weight == 100 and .proven'
	assert_json "$REPORT" ".stages[0].state == \"failed\" and .stages[1].state == \"pending\""
	assert_json "$WORK/load.json" '.requests > 50 and .failed == 0'
	all_on_production
}

eight_percent_errors() {
	CFG_STAGES='[50, 100]' write_config
	deploy_with_fault error_rate=0.08
	assert_rolled_back_by error-rate
	assert_json "$REPORT" '.reason | .value > 0.02 and .value < 0.2 and .samples > 10 and .weight == 50'
	ctl status
	assert_output '^because +error-rate: .*bad of'
}

ninety_percent_errors() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=20s CFG_INTERVAL=500ms write_config
	deploy_with_fault error_rate=0.9
	assert_rolled_back_by error-rate
	assert_json "$REPORT" '.reason.value > 0.6'
	# Critical: within two intervals after the first evaluation that could see it. A scrape (250 ms)
	# and an evaluation (500 ms) have to come first; the stage would otherwise take 20 s.
	assert_json "$REPORT" '.stages[0] | (.ended_at | sub("\\.[0-9]+"; "") | fromdateiso8601)
		- (.shifted_at | sub("\\.[0-9]+"; "") | fromdateiso8601) <= 3'
}

slow_p95() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=6s write_config
	canary_fault latency_ms=3000
	start_load
	ctl deploy --version v0.2.0 --yes --format json --output "$REPORT"
	stop_load
	canary_fault reset
	assert_rolled_back_by p95-fast
}

schema_failures() {
	CFG_STAGES='[50, 100]' write_config
	deploy_with_fault malformed=0.5
	assert_rolled_back_by schema-failures
}

rl_loss_spike() {
	CFG_STAGES='[50, 100]' write_config
	deploy_with_fault loss_spike=5
	assert_rolled_back_by rl-loss
	assert_json "$REPORT" '[.stages[0].checks[] | select(.name == "rl-loss") | .baseline > 0 and .value > 2 * .baseline] == [true]'
}

unhealthy_at_start() {
	local before after
	CFG_STAGES='[50, 100]' write_config
	before=$(fingerprint "$NGINX_PREFIX")
	canary_fault unhealthy=1
	ctl deploy --version v0.2.0 --yes
	canary_fault reset
	after=$(fingerprint "$NGINX_PREFIX")
	assert_status 2
	assert_output "canary-health"
	assert_output "'unhealthy'"
	assert_unchanged "$before" "$after" "NGINX's folder"
}

unhealthy_during_a_stage() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=20s write_config
	start_load
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	canary_fault unhealthy=1
	ctl_wait 15
	stop_load
	canary_fault reset
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and (.reason.check | test("health"))'
	all_on_production
}

another_version() {
	local before after
	CFG_STAGES='[50, 100]' write_config
	before=$(fingerprint "$NGINX_PREFIX")
	ctl deploy --version v0.3.0 --yes
	after=$(fingerprint "$NGINX_PREFIX")
	assert_status 2
	assert_output "0\\.3\\.0"
	assert_output "0\\.2\\.0"
	assert_unchanged "$before" "$after" "NGINX's folder"
}

canary_not_running() {
	local before after
	CFG_STAGES='[50, 100]' write_config
	stop canary
	before=$(fingerprint "$NGINX_PREFIX")
	ctl deploy --version v0.2.0 --yes
	after=$(fingerprint "$NGINX_PREFIX")
	start_canary
	wait_until 20 "Prometheus scrapes both versions" both_targets_up
	assert_status 69
	assert_error "canary"
	assert_unchanged "$before" "$after" "NGINX's folder"
}

canary_dies_during_a_stage() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=20s write_config
	start_load
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	stop canary KILL
	ctl_wait 20
	stop_load
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back"'
	# Failover to production: no client saw it.
	assert_json "$WORK/load.json" '.failed == 0'
	start_canary
	all_on_production
}

scenario_begin bad-canary
start_scene 2
run_case eight_percent_errors '8 % errors'
run_case ninety_percent_errors '90 % errors: critical, rolled back at once'
run_case slow_p95 'slow p95'
run_case schema_failures 'schema failures'
run_case rl_loss_spike 'RL loss spike'
run_case unhealthy_at_start 'unhealthy canary before the first shift'
run_case unhealthy_during_a_stage 'canary becomes unhealthy during a stage'
run_case canary_not_running 'canary not running before the first shift'
run_case another_version 'canary of another version'
run_case canary_dies_during_a_stage 'canary dies during a stage'
scenario_end
