#!/usr/bin/env bash
# Absence of evidence is not a pass: no traffic, no Prometheus, queries that cannot work and labels
# that do not exist never let a rollout go on.
. "$(dirname "$0")/lib.sh"

no_traffic() {
	CFG_STAGES='[50, 100]' CFG_EXTEND_LIMIT=1s write_config
	ctl deploy --version v0.2.0 --yes --format json --output "$REPORT"
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and .reason.result == "NO_DATA"'
	assert_json "$REPORT" '.reason.message | test("no requests")'
	assert_json "$REPORT" '.traffic | .canary_weight == 0 and .proven'
	assert_json "$REPORT" '.stages[1].state == "pending"'
	all_on_production
}

no_traffic_on_hold() {
	CFG_STAGES='[50, 100]' CFG_ON_INCONCLUSIVE=hold write_config
	ctl deploy --version v0.2.0 --yes --format json --output "$REPORT"
	assert_status 1
	assert_json "$REPORT" '.outcome == "held" and .reason.result == "NO_DATA"'
	assert_json "$REPORT" '.traffic | .canary_weight == 50 and .proven'
	weight_is 50 || fail "the weights in force are not those of the held stage"
	ctl rollback
	assert_status 0
}

prometheus_down_before_the_start() {
	local before after
	CFG_PROMETHEUS="http://127.0.0.1:$(free_port)" CFG_STAGES='[50, 100]' write_config
	before=$(fingerprint "$NGINX_PREFIX")
	ctl deploy --version v0.2.0 --yes
	after=$(fingerprint "$NGINX_PREFIX")
	assert_status 69
	assert_error "[Pp]rometheus"
	assert_unchanged "$before" "$after" "NGINX's folder"
	all_on_production
}

unparsable_promql() {
	local before after
	CFG_STAGES='[50, 100]' CFG_CHECKS='checks:
  - name: queue-depth
    prometheus: { query: "max(queue_depth{version=" }
    require: "< 5"' write_config
	before=$(fingerprint "$NGINX_PREFIX")
	ctl deploy --version v0.2.0 --yes
	after=$(fingerprint "$NGINX_PREFIX")
	assert_status 78
	assert_error "queue-depth"
	assert_error "parse error|bad_data"
	assert_unchanged "$before" "$after" "NGINX's folder"
}

wrong_label() {
	CFG_STAGES='[50, 100]' CFG_EXTEND_LIMIT=1s CFG_CHECKS='checks:
  - name: error-rate
    ratio:
      of: "http_requests_total{version=\"cannary\",status=~\"5..\"}"
      over: "http_requests_total{version=\"cannary\"}"
    require: "< 0.5%"
    min_samples: 10' write_config
	start_load
	ctl deploy --version v0.2.0 --yes --format json --output "$REPORT"
	stop_load
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and .reason.result == "NO_DATA" and .reason.check == "error-rate"'
	# It says which label sets do exist.
	assert_json "$REPORT" '.reason.message | test("version=\"canary\"")'
	all_on_production
}

# NGINX was told 50 %, and gives the canary nothing: weights in force are not yet traffic.
share_that_does_not_arrive() {
	# shellcheck disable=SC2016 # the template's own name
	sed 's|\(server ${CANARY_SERVER} weight=.*\);|\1 backup;|' "$TEMPLATE" >"$WORK/backup.template"
	CFG_TEMPLATE=$WORK/backup.template CFG_STAGES='[50, 100]' CFG_CHECKS='checks: []' write_config
	start_load
	ctl deploy --version v0.2.0 --yes --format json --output "$REPORT"
	stop_load
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and .reason.check == "traffic-share"'
	assert_json "$WORK/load.json" '.failed == 0 and .by_version.canary == 0'
	all_on_production
}

# Last, because it ends the Prometheus that the others need.
prometheus_dies_during_a_stage() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=30s CFG_OUTAGE_LIMIT=2s write_config
	start_load
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	stop prometheus KILL
	ctl_wait 20
	stop_load
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and (.reason.message | test("[Pp]rometheus"))'
	assert_json "$REPORT" '.traffic | .canary_weight == 0 and .proven'
	assert_json "$WORK/load.json" '.failed == 0'
	all_on_production
}

rollback_without_prometheus() {
	CFG_STAGES='[50, 100]' write_config
	ctl weights set 50
	assert_status 0
	weight_is 50 || fail "weights set 50 is not in force"
	ctl rollback --reason 'Prometheus is down'
	assert_status 0
	all_on_production
}

scenario_begin no-evidence
start_scene 2
run_case no_traffic 'no traffic at all: extended, then rolled back'
run_case no_traffic_on_hold 'no traffic with on_inconclusive: hold'
run_case prometheus_down_before_the_start 'Prometheus down before the start'
run_case unparsable_promql 'PromQL that cannot parse'
run_case wrong_label 'a label that does not exist'
run_case share_that_does_not_arrive 'a canary that does not get its share'
run_case prometheus_dies_during_a_stage 'Prometheus dies during a stage'
run_case rollback_without_prometheus 'weights and rollback need no Prometheus'
scenario_end
