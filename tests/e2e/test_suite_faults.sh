#!/usr/bin/env bash
# Every fault of the application turns exactly those checks of the shipped suites to NO_GO that are
# about it, and no other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/suites.sh"

SUITES=(predeploy smoke guards gate gpu tuning daily weekly)

# Faults that leave nothing behind in counters: one scene for all.
# One that breaks an early call of the smoke test takes the calls with it that need its answer.
# fault | checks
PASSING_FAULTS='
unhealthy=1        | smoke/health smoke/version daily/production-health predeploy/production-healthy
json_guard_off=1   | guards/json-guard-running
breaker_off=1      | guards/circuit-breaker-running
entropy_stuck=1    | tuning/entropy weekly/entropy
vram_full=90%      | gate/vram-headroom gpu/vram-headroom daily/vram-headroom weekly/vram-headroom
backlog=200        | daily/queue-depth
options_missing=1  | smoke/evolve-options smoke/evolve-feedback
feedback_ignored=1 | smoke/evolve-feedback
version_lie=v9.9.9 | smoke/version
'

# Faults that stay in the window of five minutes: a fresh scene for each.
LASTING_FAULTS='
error_rate=8%         | gate/error-rate tuning/error-rate daily/error-rate
latency_factor=4      | gate/p95-fast gate/p95-balanced gate/p95-creative tuning/p95-fast tuning/p95-balanced tuning/p95-creative daily/p95-fast daily/p95-balanced daily/p95-creative
latency_ms=4000       | gate/p95-fast gate/p95-balanced gate/p95-creative tuning/p95-fast tuning/p95-balanced tuning/p95-creative daily/p95-fast daily/p95-balanced daily/p95-creative
sleep_ms=4000         | gate/p95-fast gate/p95-balanced gate/p95-creative tuning/p95-fast tuning/p95-balanced tuning/p95-creative daily/p95-fast daily/p95-balanced daily/p95-creative
malformed=5%          | gate/schema-failures gate/schema-fixes tuning/schema-failures daily/schema-failures
no_json=5%            | gate/fallback-rate tuning/fallback-rate daily/fallback-rate
loss_spike=4          | gate/rl-loss daily/rl-loss tuning/checkpoint-rollbacks daily/checkpoint-rollbacks weekly/checkpoint-rollbacks
reward_drop=0.8       | daily/rl-reward tuning/checkpoint-rollbacks daily/checkpoint-rollbacks weekly/checkpoint-rollbacks
model_down=qwen       | guards/circuit-breakers-closed guards/llm-health guards/llm-health-qwen gate/circuit-breakers tuning/circuit-breakers daily/circuit-breakers daily/llm-health
cache_off=1           | guards/cache-running gate/cache-hit-rate-fast gate/cache-hit-rate-balanced tuning/cache-hit-rate-fast tuning/cache-hit-rate-balanced daily/cache-hit-rate-fast daily/cache-hit-rate-balanced weekly/cache weekly/cache-hit-rate-fast weekly/cache-hit-rate-balanced
distribution_skew=60% | tuning/distribution daily/distribution weekly/distribution
'

# The disk that this runs on is nobody's fault.
no_go() {
	checks_that_are NO_GO | sed 's,weekly/checkpoint-disk ,,'
}

fault_is_seen() { # EXPECTED
	check_suites "${SUITES[@]}"
	[ "$STATUS" -eq 2 ] && [ "$(no_go)" = "$1" ]
}

fault_turns() { # FAULT EXPECTED_CHECK...
	local fault=$1 expected
	shift
	expected=$(sorted "$@")
	canary_fault "$fault"
	wait_until 60 "$fault is seen" fault_is_seen "$expected" ||
		fail "$fault turned '$(no_go)', expected '$expected'"
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
	wait_until 60 "all is well again" all_is_well || fail "left: $(no_go)"
}

all_is_well() {
	check_suites "${SUITES[@]}"
	[ "$STATUS" -le 1 ] && [ -z "$(no_go)" ]
}

lasting_faults() {
	for_each_fault "$LASTING_FAULTS" one_lasting
}

quiet_log() {
	start_fresh --fault log_quiet=1
	check_suites smoke
	assert_equal "$(no_go)" "smoke/log-llm-brief smoke/log-rl-update " "what is NO_GO"
}

# A retry helps against some of these, so nothing may turn.
guarded_answers() {
	start_fresh --fault garbled=30%
	check_suites "${SUITES[@]}"
	assert_equal "$(no_go)" "" "what is NO_GO while the guard holds"
}

# Checks on metrics that are not judged without them, by suite. What is left passes on purpose: the
# GPU is production's too, training may be off, and a rollback or alert that never was has no series.
NEEDS_METRICS='
gate/targets-up gate/schema-failures gate/schema-fixes gate/p95-fast gate/p95-balanced gate/p95-creative
gate/error-rate gate/cache-hit-rate-fast gate/cache-hit-rate-balanced gate/circuit-breakers gate/fallback-rate
tuning/targets-up tuning/schema-failures tuning/p95-fast tuning/p95-balanced tuning/p95-creative
tuning/error-rate tuning/cache-hit-rate-fast tuning/cache-hit-rate-balanced tuning/circuit-breakers
tuning/fallback-rate tuning/distribution tuning/training-steps tuning/entropy tuning/rewards-spread
tuning/rewards-stable tuning/checkpoint-saves
daily/targets-up daily/schema-failures daily/p95-fast daily/p95-balanced daily/p95-creative
daily/error-rate daily/cache-hit-rate-fast daily/cache-hit-rate-balanced daily/circuit-breakers
daily/fallback-rate daily/distribution daily/queue-depth
weekly/distribution weekly/entropy weekly/cache-hit-rate-fast weekly/cache-hit-rate-balanced
'

# Checks that ask the service itself. Its configuration files and its log are still there.
NEEDS_SERVICE='
smoke/health smoke/dna-create smoke/evolve-options smoke/evolve-feedback smoke/metrics smoke/version
guards/json-guard-running guards/circuit-breaker-running guards/circuit-breakers-closed guards/cache-running
guards/llm-health guards/llm-health-qwen guards/llm-health-mistral guards/llm-health-llama
gpu/models-loaded daily/production-health daily/llm-health weekly/cache predeploy/production-healthy
'

no_go_is() { # EXPECTED
	check_suites "${SUITES[@]}"
	[ "$(no_go)" = "$1" ]
}

turned_exactly() { # FAULT CHECK...
	local fault=$1 expected
	shift
	expected=$(sorted "$@")
	wait_until 60 "$fault is seen" no_go_is "$expected" ||
		fail "$fault turned '$(no_go)', expected '$expected'"
}

# No data is no pass; what does not need metrics still is.
metrics_down() {
	start_fresh
	canary_fault metrics_down=1
	# shellcheck disable=SC2086 # a list of words
	turned_exactly metrics_down $NEEDS_METRICS smoke/metrics smoke/version
	jq -es '.[] | select(.suite == "gate") | .checks
		| (map(select(.name == "error-rate"))[0].result == "NO_DATA")
		and (map(select(.name == "prometheus-up"))[0].status == "GO")' "$REPORT" >/dev/null ||
		fail "the gate without metrics: $(jq -c '.checks[] | [.name, .result]' "$REPORT")"
}

# Whoever asks for work waits in vain; everything else still answers.
hang() {
	start_fresh
	stop load-canary
	canary_fault hang=100%
	turned_exactly hang smoke/dna-create smoke/evolve-options smoke/evolve-feedback
}

crash() {
	start_fresh
	canary_fault crash=1 2>/dev/null || :
	wait_until 10 "the canary is gone" is_gone canary
	# shellcheck disable=SC2086 # a list of words
	turned_exactly crash $NEEDS_METRICS $NEEDS_SERVICE
}

# A fault without a row or a case of its own is a fault that nobody looks for.
every_fault_is_here() {
	local name
	for name in $(curl -fsS "http://127.0.0.1:$PRODUCTION_PORT/admin/fault" | jq -r '.faults[].name'); do
		grep -Eq "(^|--fault |canary_fault )$name=" "$0" || fail "the fault '$name' is not tested"
	done
}

suites_begin suite-faults
make_release
run_case passing_faults "faults that pass turn exactly their checks, and nothing stays"
run_case lasting_faults "faults that stay in the window turn exactly their checks"
run_case quiet_log "a quiet log is found by the smoke test alone"
run_case guarded_answers "what the JSON guard mends turns nothing"
run_case metrics_down "without metrics there is no data, which is no pass"
run_case hang "a service that hangs is found by those who ask it for work"
run_case crash "a service that is gone turns all that needs it, and nothing else"
run_case every_fault_is_here "every fault of the application has its checks"
scenario_end
