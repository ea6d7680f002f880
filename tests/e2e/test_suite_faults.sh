#!/usr/bin/env bash
# Every fault of the application turns exactly those checks of the shipped suites to NO_GO that are
# about it, and no other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/suites.sh"

SUITES=(smoke guards gate gpu tuning daily)

# Faults that leave nothing behind in counters: one scene for all.
# fault | checks
PASSING_FAULTS='
unhealthy=1        | smoke/health daily/production-health
json_guard_off=1   | guards/json-guard-running
breaker_off=1      | guards/circuit-breaker-running
entropy_stuck=1    | tuning/entropy
vram_full=90%      | gate/vram-headroom gpu/vram-headroom daily/vram-headroom
backlog=200        | daily/queue-depth
options_missing=1  | smoke/evolve-options smoke/evolve-feedback
feedback_ignored=1 | smoke/evolve-feedback
'

# Faults that stay in the window of five minutes: a fresh scene for each.
LASTING_FAULTS='
error_rate=8%         | gate/error-rate tuning/error-rate daily/error-rate
latency_factor=4      | gate/p95-fast gate/p95-balanced gate/p95-creative tuning/p95-fast tuning/p95-balanced tuning/p95-creative daily/p95-fast daily/p95-balanced daily/p95-creative
malformed=5%          | gate/schema-failures gate/schema-fixes tuning/schema-failures daily/schema-failures
no_json=5%            | gate/fallback-rate tuning/fallback-rate daily/fallback-rate
loss_spike=4          | gate/rl-loss daily/rl-loss tuning/checkpoint-rollbacks daily/checkpoint-rollbacks
model_down=qwen       | guards/circuit-breakers-closed guards/llm-health guards/llm-health-qwen gate/circuit-breakers tuning/circuit-breakers daily/circuit-breakers daily/llm-health
cache_off=1           | guards/cache-running gate/cache-hit-rate-fast gate/cache-hit-rate-balanced tuning/cache-hit-rate-fast tuning/cache-hit-rate-balanced daily/cache-hit-rate-fast daily/cache-hit-rate-balanced
distribution_skew=60% | tuning/distribution daily/distribution
'

fault_is_seen() { # EXPECTED
	check_suites "${SUITES[@]}"
	[ "$STATUS" -eq 2 ] && [ "$(checks_that_are NO_GO)" = "$1" ]
}

fault_turns() { # FAULT EXPECTED_CHECK...
	local fault=$1 expected
	shift
	expected=$(sorted "$@")
	canary_fault "$fault"
	wait_until 25 "$fault is seen" fault_is_seen "$expected" ||
		fail "$fault turned '$(checks_that_are NO_GO)', expected '$expected'"
}

# All lines of a table whose fault begins with $1.
for_each_fault() { # TABLE FUNCTION
	local fault checks
	while IFS='|' read -r fault checks; do
		if [ -n "$fault" ]; then
			# shellcheck disable=SC2086 # a list of words
			"$2" ${fault} ${checks}
		fi
	done <<<"$1"
}

one_passing() { # FAULT CHECK...
	fault_turns "$@"
	canary_fault all=off latency_factor=0.8
}

one_lasting() { # FAULT CHECK...
	start_fresh
	fault_turns "$@"
	echo "        $1"
}

passing_faults() {
	start_fresh
	for_each_fault "$PASSING_FAULTS" one_passing
	wait_until 20 "all is well again" all_is_well || fail "left: $(checks_that_are NO_GO)"
}

all_is_well() {
	check_suites "${SUITES[@]}"
	[ "$STATUS" -le 1 ] && [ -z "$(checks_that_are NO_GO)" ]
}

lasting_faults() {
	for_each_fault "$LASTING_FAULTS" one_lasting
}

quiet_log() {
	start_fresh --fault log_quiet=1
	check_suites smoke
	assert_equal "$(checks_that_are NO_GO)" "smoke/log-llm-brief smoke/log-rl-update " "what is NO_GO"
}

# A retry helps against some of these, so nothing may turn.
guarded_answers() {
	start_fresh --fault garbled=30%
	check_suites "${SUITES[@]}"
	assert_equal "$(checks_that_are NO_GO)" "" "what is NO_GO while the guard holds"
}

# Without metrics nothing passes; what does not need them still does.
metrics_down() {
	start_fresh
	canary_fault metrics_down=1
	wait_until 20 "the scrape is seen to fail" fault_turned gate/targets-up
	jq -es '.[] | select(.suite == "gate") | .checks
		| (map(select(.name == "error-rate"))[0].result == "NO_DATA")
		and (map(select(.name == "prometheus-up"))[0].status == "GO")' "$REPORT" >/dev/null ||
		fail "the gate without metrics: $(jq -c '.checks[] | [.name, .result]' "$REPORT")"
}

fault_turned() { # CHECK
	check_suites gate
	[[ " $(checks_that_are NO_GO)" == *" $1 "* ]]
}

suites_begin suite-faults
run_case passing_faults "faults that pass turn exactly their checks, and nothing stays"
run_case lasting_faults "faults that stay in the window turn exactly their checks"
run_case quiet_log "a quiet log is found by the smoke test alone"
run_case guarded_answers "what the JSON guard mends turns nothing"
run_case metrics_down "without metrics there is no data, which is no pass"
scenario_end
