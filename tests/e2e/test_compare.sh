#!/usr/bin/env bash
# The sequential judge in rollouts on real servers: a good canary is never rolled back for bad luck, a
# bad one is found, too little evidence is no pass, and a crash counts nothing twice.
. "$(dirname "$0")/lib.sh"

# What comes first still belongs to `rollout`.
judge_only() { # [OPTION...]
	local options='' rollout=${CFG_ROLLOUT:-}
	[ $# -eq 0 ] || printf -v options ', %s' "$@"
	printf '%s\nchecks:\n- name: errors-vs-production\n  compare: { %s%s }\n' "$rollout" \
		"bad: 'http_requests_total{status=~\"5..\"}', total: http_requests_total, canary: 'version=\"canary\"', baseline: 'version=\"production\"'" \
		"$options"
}

deploy() {
	ctl deploy --version v0.2.0 --yes --format json --output "$REPORT"
}

a_good_canary_of_little_traffic() {
	CFG_STAGES='[25]' CFG_OBSERVE=4s CFG_ON_INCONCLUSIVE=hold CFG_CHECKS=$(judge_only) write_config
	start_load 40
	deploy
	stop_load
	# Neither good nor bad can be said of some forty requests; that is no pass, and no failure.
	assert_status 1
	assert_json "$REPORT" '.outcome == "held" and .reason.check == "errors-vs-production"'
	assert_json "$REPORT" '.reason | .result == "NO_DATA" and .samples > 5'
	assert_json "$REPORT" '.reason.message | test("not enough to decide") and test("more requests|cannot be decided")'
	weight_is 25
	ctl rollback
	assert_status 0
}

undecided_at_the_end() {
	CFG_STAGES='[25]' CFG_OBSERVE=3s CFG_ON_INCONCLUSIVE=rollback CFG_CHECKS=$(judge_only) write_config
	start_load 40
	deploy
	stop_load
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and .reason.result == "NO_DATA"'
	all_on_production
}

undecided_on_purpose() {
	CFG_STAGES='[{ weight: 25, undecided: pass }, { weight: 100, undecided: pass }]' CFG_OBSERVE=3s \
		CFG_CHECKS=$(judge_only) write_config
	start_load 40
	deploy
	stop_load
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded" and .stages[0].checks[-1].result == "NO_DATA"'
	ctl rollback
}

a_good_canary_ends_its_stages_early() {
	CFG_STAGES='[25, 50]' CFG_OBSERVE=60s CFG_CHECKS=$(judge_only 'early: true' 'limit: 10%') write_config
	start_load
	deploy
	stop_load
	assert_status 0
	assert_json "$REPORT" '[.stages[] | .checks[-1].result == "PASS" and .checks[-1].value < 0.1 and .checks[-1].samples > 20] == [true, true]'
	assert_json "$REPORT" '[.stages[] | (.ended_at | sub("\\.[0-9]+"; "") | fromdateiso8601)
		- (.shifted_at | sub("\\.[0-9]+"; "") | fromdateiso8601) < 45] == [true, true]'
	ctl rollback
}

found() { # ERROR_RATE WEIGHT
	CFG_STAGES="[$2, 100]" CFG_OBSERVE=60s CFG_CHECKS=$(judge_only) write_config
	canary_fault "error_rate=$1"
	start_load
	deploy
	stop_load
	canary_fault reset
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and .reason.check == "errors-vs-production"'
	assert_json "$REPORT" '.reason | .result == "FAIL" and .stage == 1 and .samples > 1 and .value > 0.01 and .limit == "<= 1.5 * baseline or 0.2%"'
	assert_json "$REPORT" '.reason.message | test("worse than production: .* bad \\([0-9]+ of [0-9]+ requests\\), production .*; evidence .* of 200 needed")'
	assert_json "$REPORT" '.stages[0].checks[-1].baseline < 0.02 and .traffic.canary_weight == 0 and .traffic.proven'
	all_on_production
}

five_percent_errors() {
	found 0.05 50
}

fifty_percent_errors() {
	found 0.5 5
}

# --- a crash ---------------------------------------------------------------------------------------

# One number of what the judge had counted, from the journal.
counted() { # FIELD
	ctl status --format json
	jq -r ".last_evaluation.evidence.checks[0].$1 // 0" "$OUT"
}

counted_more_than() { # REQUESTS
	awk -v x="$(counted total.nc)" -v y="$1" 'BEGIN { exit !(x > y) }'
}

# The canary's requests as Prometheus had them at a time.
requests_at() { # TIME
	curl -fsS "$PROMETHEUS/api/v1/query" --data-urlencode "time=$1" \
		--data-urlencode 'query=sum(http_requests_total{version="canary"})' |
		jq -r '.data.result[0].value[1] // 0'
}

# What a process has counted from FROM to UNTIL; both ends as it says.
requests_between() { # FROM UNTIL
	echo $(($(requests_at "$2") - $(requests_at "$1")))
}

minus() { # A B
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", a - b }'
}

a_crash_counts_nothing_twice() {
	local before until_before seconds_before all until_after seconds_after expected
	CFG_ROLLOUT=$'  on_crash: resume\n  guardian_grace: 120s' CFG_STAGES='[50, 100]' CFG_OBSERVE=60s \
		CFG_CHECKS=$(CFG_ROLLOUT=$'  on_crash: resume\n  guardian_grace: 120s' judge_only 'limit: 0.01%') write_config
	start_load 60
	ctl_start deploy --version v0.2.0 --yes
	wait_until 30 "the judge has counted some requests" counted_more_than 40
	stop deploy KILL
	before=$(counted total.nc)
	until_before=$(counted counted_until)
	seconds_before=$(counted counted_s)
	ctl_start recover
	wait_until 45 "the resumed rollout has counted more" counted_more_than "$((before + 40))"
	ctl rollback
	ctl_wait 30
	stop_load
	all=$(counted total.nc)
	until_after=$(counted counted_until)
	seconds_after=$(counted counted_s)
	expected=$(($(requests_between "$(minus "$until_before" "$seconds_before")" "$until_before") +
		$(requests_between "$(minus "$until_after" "$(minus "$seconds_after" "$seconds_before")")" "$until_after")))
	assert_equal "$all" "$expected" "number of requests counted before and after the crash"
}

rehearsal() {
	CFG_STAGES='[5, 100]' CFG_OBSERVE=10s CFG_CHECKS=$(judge_only) write_config
	start_load
	wait_until 30 "Prometheus has seen traffic" prometheus_has_seen_traffic
	ctl deploy --version v0.2.0 --dry-run
	stop_load
	assert_status 0
	assert_output 'errors-vs-production: [0-9.]+ requests/s now'
	assert_output 'errors-vs-production: finds 1 % errors (in|after more than) .*, 5 % in .*, 50 % in .*; proves less than 0.5% '
	assert_output 'no production left to compare with'
}

prometheus_has_seen_traffic() {
	[ "$(promql 'sum(increase(http_requests_total{version="production"}[5s])) > bool 100')" = 1 ]
}

scenario_begin compare
start_scene 2
run_case a_good_canary_of_little_traffic 'a good canary of little traffic: on hold, not rolled back'
run_case undecided_at_the_end 'undecided at the end is inconclusive'
run_case undecided_on_purpose 'undecided: pass'
run_case a_good_canary_ends_its_stages_early 'a good canary ends its stages early'
run_case five_percent_errors '5 % errors'
run_case fifty_percent_errors '50 % errors of a small stage'
run_case a_crash_counts_nothing_twice 'killed and resumed: nothing counts twice, nothing is lost'
run_case rehearsal 'the rehearsal says how long it would take'
scenario_end
