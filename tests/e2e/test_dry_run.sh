#!/usr/bin/env bash
# deploy --dry-run: asks and renders everything for real, and leaves every file as it was.
. "$(dirname "$0")/lib.sh"

everything() {
	# Prometheus and the logs go on writing by themselves; all else must stay to the nanosecond.
	fingerprint "$NGINX_PREFIX" "$WORK/run" "$REPO/nginx" "$REPO/configs" "$CONFIG"
	[ ! -e "$STATE_DIR" ] || fingerprint "$STATE_DIR"
	find "$WORK" -maxdepth 1 ! -name prometheus-data ! -name '*.log' ! -name report.json \
		! -name out ! -name err ! -path "$WORK" -printf '%p\n' | sort
}

rehearse() { # ARGUMENT...
	local before after pid
	pid=$(pgrep -P "$(pid_of nginx)" | sort)
	before=$(everything)
	ctl deploy --version v0.2.0 --dry-run "$@"
	after=$(everything)
	assert_unchanged "$before" "$after" "a file"
	assert_equal "$(pgrep -P "$(pid_of nginx)" | sort)" "$pid" "the workers of NGINX (a reload makes new ones)"
}

ready() {
	write_config
	start_load
	wait_until 15 "there are samples" some_traffic
	rehearse --output "$REPORT"
	assert_status 0
	assert_json "$REPORT" '.outcome == "rehearsed"'
	assert_output 'error-rate'
	assert_output '\+ +server .*weight='
	assert_output '100 ?%'
	all_on_production
}

ready_as_json() {
	write_config
	rehearse --format json
	assert_status 0
	assert_json <(tail -n 1 "$OUT") '.event == "finished" and .report.outcome == "rehearsed"'
	stop_load
}

some_traffic() {
	[ -n "$(promql 'sum(http_requests_total{version="production"}) > 100')" ]
}

prometheus_down() {
	CFG_PROMETHEUS="http://127.0.0.1:$(free_port)" write_config
	rehearse
	assert_status 69
}

canary_unhealthy() {
	write_config
	canary_fault unhealthy=1
	rehearse
	canary_fault unhealthy=0
	assert_status 2
	assert_output "'unhealthy'"
}

template_that_nginx_refuses() {
	sed 's/zone /zoone /' "$TEMPLATE" >"$WORK/broken.template"
	CFG_TEMPLATE=$WORK/broken.template write_config
	rehearse
	assert_status 2
	assert_output "zoone"
}

query_that_cannot_work() {
	CFG_CHECKS='checks:
  - { name: broken, prometheus: { query: "sum(" }, require: "< 1" }' write_config
	rehearse
	assert_status 2
	grep -q broken "$OUT" "$ERR" || fail "the check is not named"
}

scenario_begin dry-run
start_scene 2
run_case ready 'ready: exit 0, a report, nothing else'
run_case ready_as_json 'the same as JSON Lines'
run_case prometheus_down 'Prometheus down'
run_case canary_unhealthy 'canary unhealthy'
run_case template_that_nginx_refuses 'a template that NGINX refuses'
run_case query_that_cannot_work 'a query that cannot work'
scenario_end
