#!/usr/bin/env bash
# Where the seeds are wrong (section 12, points 1 to 7): each is shown to go wrong their way on the
# real servers, and right ours.
. "$(dirname "$0")/lib.sh"

# The one check, in a suite-less way: a rollout of one stage at 50 %, and its result in the report.
deploy_with_check() { # CHECKS
	CFG_STAGES='[50]' CFG_EXTEND_LIMIT=1s CFG_CHECKS=$1 write_config
	start_load
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	stop_load
	ctl_quietly rollback
}

ctl_quietly() {
	"$CANARYCTL" --config "$CONFIG" "$@" >/dev/null 2>&1
}

check_result() { # FILTER
	assert_json "$REPORT" ".stages[0].checks[] | select(.name == \"subject\") | $1"
}

recent_errors() {
	[ -n "$(promql 'sum(rate(http_requests_total{version="canary",status=~"5.."}[5s])) > 0')" ]
}

# 1. weight=0 is an NGINX error.
zero_weight() {
	local conf=$NGINX_PREFIX/seeds.conf
	{
		echo "pid $NGINX_PREFIX/seeds.pid; events {} http { $(nginx_temp_paths)"
		echo "upstream app_backend {"
		echo "  server 127.0.0.1:$PRODUCTION_PORT weight=100;"
		echo "  server 127.0.0.1:$CANARY_PORT weight=0;"
		echo "} }"
	} >"$conf"
	if nginx -p "$NGINX_PREFIX/" -c "$conf" -t 2>"$ERR"; then
		fail "NGINX accepts weight=0"
	fi
	assert_error 'invalid parameter "weight=0"'

	write_config
	ctl weights set 0
	assert_status 0
	all_on_production
	ctl weights set 100
	assert_status 0
	assert_equal "$(canary_hits 20)" 20 "requests of 20 on the canary"
	ctl rollback
}

# 2. The seeds' error rate divides series with different labels: 1 for each 5xx series, or nothing.
error_rate() {
	local seeds='rate(http_requests_total{status=~"5..", version="canary"}[5s]) / rate(http_requests_total{version="canary"}[5s])'
	write_config
	ctl weights set 50
	start_load
	wait_until 10 "the canary has traffic" test -n "$(promql 'sum(http_requests_total{version="canary"})')"
	canary_fault error_rate=0.1
	wait_until 10 "the canary's errors are scraped" recent_errors
	assert_equal "$(promql "$seeds" | grep -v NaN | sort -u)" 1 "the seeds' error rate at a true 10 %"
	canary_fault error_rate=0
	stop_load

	canary_fault error_rate=0.1
	deploy_with_check 'checks:
  - name: subject
    ratio: { of: "http_requests_total{version=\"canary\",status=~\"5..\"}", over: "http_requests_total{version=\"canary\"}" }
    require: "< 50%"'
	canary_fault error_rate=0
	assert_status 0
	check_result '.value > 0.07 and .value < 0.13 and .samples > 20'
}

# Without a 5xx the seeds' query has no result at all; ours is 0 of so many requests.
error_rate_without_errors() {
	stop canary
	start_canary
	wait_until 10 "Prometheus scrapes both versions" both_targets_up
	deploy_with_check 'checks:
  - name: subject
    ratio: { of: "http_requests_total{version=\"canary\",status=~\"5..\"}", over: "http_requests_total{version=\"canary\"}" }
    require: "< 0.5%"'
	assert_equal "$(promql 'rate(http_requests_total{status=~"5..", version="canary"}[2s]) / rate(http_requests_total{version="canary"}[2s])')" \
		"" "the seeds' error rate without errors"
	assert_status 0
	check_result '.result == "PASS" and .value == 0 and .samples > 20'
}

# 3. The seeds compare two series whose labels differ: never a match, always a pass.
rl_loss() {
	canary_fault loss_spike=5
	wait_until 10 "the spike is scraped" loss_is_high
	assert_equal "$(promql 'rl_training_loss{version="canary"} > (rl_training_loss{version="production"} * 2)')" \
		"" "the seeds' comparison of a loss five times as high"
	deploy_with_check 'checks:
  - name: subject
    prometheus: { query: "max(rl_training_loss{version=\"canary\"})", baseline: "max(rl_training_loss{version=\"production\"})" }
    require: "< 2 * baseline"'
	canary_fault loss_spike=0
	assert_status 2
	assert_json "$REPORT" '.reason.check == "subject" and .reason.result == "FAIL"'
	check_result '.value > 2 * .baseline'
}

loss_is_high() {
	[ -n "$(promql 'max(rl_training_loss{version="canary"}) > 2 * max(rl_training_loss{version="production"})')" ]
}

# 4. and 7. Their p95 is one number for each instance and label set, NaN without traffic, and never
# above the highest finite bucket, so a limit there passes for ever.
latency() {
	local top seeds='histogram_quantile(0.95, rate(http_request_duration_seconds_bucket{version="canary", mode="fast"}[5s]))'
	canary_fault latency_ms=600000
	write_config
	ctl weights set 50
	start_load
	top=$(curl -fsS "http://127.0.0.1:$CANARY_PORT/metrics" |
		sed -n 's/^http_request_duration_seconds_bucket{.*le="\([0-9.]*\)".*/\1/p' | sort -g | tail -n 1)
	wait_until 15 "the seeds' p95 is the highest bound $top" seeds_p95_is "$seeds" "$top"
	stop_load
	ctl rollback

	deploy_with_check "checks:
  - name: subject
    latency: { histogram: 'http_request_duration_seconds{version=\"canary\",mode=\"fast\"}', quantile: 95% }
    require: '<= ${top}s'"
	canary_fault latency_ms=0
	assert_status 2
	assert_json "$REPORT" '.reason.check == "subject" and .reason.result == "FAIL"'
}

seeds_p95_is() { # QUERY VALUE
	awk -v a="$(promql "$1" | sort -g | tail -n 1)" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 == b + 0) }'
}

latency_limit_between_bounds() {
	CFG_STAGES='[50]' CFG_CHECKS="checks:
  - name: subject
    latency: { histogram: 'http_request_duration_seconds{version=\"canary\",mode=\"fast\"}', quantile: 95% }
    require: '<= 2.345s'" write_config
	ctl deploy --version v0.2.0 --yes
	assert_status 78
	assert_error 'subject'
	assert_error '2\.5'
}

# 5. A handful of requests at a small weight says nothing about 0.5 %.
too_few_samples() {
	CFG_STAGES='[50]' CFG_EXTEND_LIMIT=1s CFG_CHECKS='checks:
  - name: subject
    ratio: { of: "http_requests_total{version=\"canary\",status=~\"5..\"}", over: "http_requests_total{version=\"canary\"}" }
    require: "< 0.5%"
    min_samples: 100000' write_config
	start_load
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	stop_load
	assert_status 2
	assert_json "$REPORT" '.reason.result == "NO_DATA" and (.reason.message | test("sample|request"))'
}

# 6. Their window of five minutes still holds the bad version that was rolled back a moment ago; ours
# starts at the stage's shift.
window() {
	canary_fault error_rate=0.5
	write_config
	ctl weights set 50
	start_load
	wait_until 10 "the errors are scraped" recent_errors
	canary_fault error_rate=0
	stop_load
	deploy_with_check 'checks:
  - name: subject
    ratio: { of: "http_requests_total{version=\"canary\",status=~\"5..\"}", over: "http_requests_total{version=\"canary\"}" }
    require: "< 0.5%"'
	assert_between "$(promql 'sum(rate(http_requests_total{status=~"5..",version="canary"}[5m])) / sum(rate(http_requests_total{version="canary"}[5m])) > bool 0.005')" \
		1 1 "the verdict of a five-minute window"
	assert_status 0
	check_result '.result == "PASS" and .value == 0'
}

# 7. A counter that was never incremented has no series; that is zero only while the canary is scraped
# and has handled requests.
absent_counter() {
	local check='checks:
  - name: subject
    ratio: { of: "llm_brief_schema_failures_total{version=\"canary\"}", over: "http_requests_total{version=\"canary\"}" }
    require: "<= 0"'
	stop canary
	start_canary
	wait_until 10 "Prometheus scrapes both versions" both_targets_up
	deploy_with_check "$check"
	assert_status 0
	check_result '.result == "PASS" and .value == 0'

	CFG_STAGES='[50]' CFG_EXTEND_LIMIT=1s CFG_CHECKS=$check write_config
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	assert_status 2
	assert_json "$REPORT" '.reason.result == "NO_DATA"'
}

scenario_begin seeds
start_scene 2
run_case zero_weight '1. weight=0 is an NGINX error'
run_case error_rate '2. the error rate of the seeds is 1 whatever the true rate'
run_case rl_loss '3. the comparison of the RL loss never matches'
run_case latency '4. and 7. p95 never exceeds the highest bucket'
run_case latency_limit_between_bounds '7. a limit that is no bucket bound names its neighbours'
run_case too_few_samples '5. too few samples are not a pass'
run_case window '6. a five-minute window measures the stage before'
run_case error_rate_without_errors '2. without errors the error rate of the seeds is nothing'
run_case absent_counter '7. a counter that was never incremented'
scenario_end
