#!/usr/bin/env bash
# The shipped suites on a real Prometheus and a real application: all are GO when it is well, and each
# of its faults turns exactly the checks to NO_GO that are about it.
. "$(dirname "$0")/lib.sh"

SUITES=(smoke guards gate gpu tuning daily)

suites_config() {
	CFG_EXTRA=$(printf 'include:\n'; printf '  - %s\n' "$REPO"/configs/suites/*.yaml) write_config
}

# A fresh canary and a fresh Prometheus, so that no other case's counters are in the window.
start_fresh() { # [REFAPP_ARGUMENT...]
	stop load-canary
	stop prometheus
	stop canary
	rm -rf "$WORK/prometheus-data" "$APP_LOG_DIR/canary.log"
	start_refapp canary v0.2.0 --log "$APP_LOG_DIR/canary.log" --config "$REPO/configs/app" \
		--fault latency_factor=0.8 "$@"
	train_to_the_end # before anybody looks: its history is part of what is judged
	start_prometheus
	spawn load-canary "$BUILD_DIR/tests/loadgen" --url "http://127.0.0.1:$CANARY_PORT/api/generate" \
		--rate 200 --duration 600 --mode-mix 60,30,10 --out "$WORK/load.json"
	# Enough briefs for every minimum, and some history of the training.
	wait_until 30 "the canary has enough requests" handled_at_least 700
}

train_to_the_end() {
	for _ in 1 2 3 4 5 6; do
		canary_post /admin/training/run '{"steps":2000}'
	done
}

canary_post() { # PATH BODY
	curl -fsS -X POST "http://127.0.0.1:$CANARY_PORT$1" -d "$2" >/dev/null
}

handled_at_least() { # COUNT
	awk -v n="$(promql 'sum(http_requests_total{version="canary"})')" -v least="$1" 'BEGIN { exit !(n >= least) }'
}

# "suite/check ..." of everything that is not GO, sorted; the same for a whole run of all suites.
failing_checks() { # STATUS
	jq -r --arg status "$1" '.suite as $suite | .checks[] | select(.status == $status) | "\($suite)/\(.name)"' "$REPORT" |
		sort | tr '\n' ' '
}

check_suites() { # SUITE...
	ctl check "$@" --target canary --output "$REPORT"
}

all_go() {
	suites_config
	start_fresh
	check_suites "${SUITES[@]}"
	assert_equal "$(failing_checks NO_GO)" "" "what is NO_GO on a healthy canary"
	assert_equal "$(failing_checks WARNING)" "" "what warns on a healthy canary"
	assert_status 0
	[ "$(grep -c '^GO ' "$OUT")" -eq ${#SUITES[@]} ] || fail "not every suite is GO"
}

# One fault: switched on, given time to show, and compared with what it must turn.
fault_turns() { # FAULT EXPECTED_CHECK...
	local fault=$1
	shift
	canary_fault "$fault"
	wait_until 20 "$fault is seen as expected" fault_is_seen "$@" ||
		fail "$fault turned $(failing_checks NO_GO), expected $*"
}

fault_is_seen() { # EXPECTED_CHECK...
	local expected
	check_suites "${SUITES[@]}"
	expected=$(printf '%s\n' "$@" | sort | tr '\n' ' ')
	[ "$(failing_checks NO_GO)" = "$expected" ] && [ "$STATUS" -eq 2 ]
}
