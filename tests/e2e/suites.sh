# shellcheck shell=bash
# For the scenarios about suites: the shipped suites on a canary whose training is done.

suites_config() {
	CFG_EXTRA=$(
		echo 'include:'
		printf '  - %s\n' "$REPO"/configs/suites/*.yaml
	) write_config
}

suites_begin() { # NAME
	scenario_begin "$1"
	export APP_LOG_DIR=$WORK/logs
	unset APP_CONFIG_DIR RELEASE_DIR MIGRATIONS_CHECK
	mkdir "$APP_LOG_DIR"
	start_refapp production v0.1.0 --config "$REPO/configs/app"
	suites_config
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
	local turn
	for turn in 1 2 3 4 5 6; do
		curl -fsS "http://127.0.0.1:$CANARY_PORT/admin/training/run" -d '{"steps":2000}' >/dev/null ||
			fail "training $turn"
	done
}

handled_at_least() { # COUNT
	awk -v n="$(promql 'sum(http_requests_total{version="canary"})')" -v least="$1" \
		'BEGIN { exit !(n >= least) }'
}

check_suites() { # SUITE...
	ctl check "$@" --target canary --output "$REPORT"
}

# "suite/check ..." of every check of that status, sorted.
checks_that_are() { # STATUS
	jq -r --arg status "$1" \
		'.suite as $suite | .checks[] | select(.status == $status) | "\($suite)/\(.name)"' "$REPORT" |
		sort | tr '\n' ' '
}

sorted() { # WORD...
	printf '%s\n' "$@" | sort | tr '\n' ' '
}
