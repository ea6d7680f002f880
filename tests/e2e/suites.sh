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
	ctl check "$@" --target canary --version v0.2.0 --output "$REPORT"
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

# A release with its checkpoints, migrations, secrets and runbook, as predeploy and weekly want it.
make_release() {
	export RELEASE_DIR=$WORK/release MIGRATIONS_CHECK=$WORK/check-migrations
	local name
	rm -rf "$RELEASE_DIR"
	mkdir -p "$RELEASE_DIR/checkpoints" "$RELEASE_DIR/migrations"
	echo weights >"$RELEASE_DIR/checkpoints/policy.pt"
	echo 'create table t;' >"$RELEASE_DIR/migrations/001.sql"
	printf '%s\n' '# Health Check' '# Scaling' '# Rollback' '# Monitoring' >"$RELEASE_DIR/RUNBOOK.md"
	for name in checkpoints migrations; do
		(cd "$RELEASE_DIR/$name" && sha256sum -- * >../sums && mv ../sums SHA256SUMS)
	done
	(cd "$RELEASE_DIR" && sha256sum RUNBOOK.md >SHA256SUMS)
	for name in CANARY_VERSION CANARY_API_PORT USE_LLM_ENSEMBLE LLM_ENSEMBLE_MODELS \
		LLM_ENSEMBLE_VOTING PROMETHEUS_URL; do
		echo "$name=value-of-it"
	done >"$RELEASE_DIR/.env"
	chmod 600 "$RELEASE_DIR/.env"
	echo .env >"$RELEASE_DIR/.gitignore"
	# shellcheck disable=SC2016 # its own argument
	printf '#!/bin/sh\ntest "$1" = v0.2.0\n' >"$MIGRATIONS_CHECK"
	chmod 755 "$MIGRATIONS_CHECK"
	release_git init -q
	release_git add -A
	release_git commit -qm release
	release_git tag -a v0.2.0 -m v0.2.0
}

release_git() {
	git -C "$RELEASE_DIR" -c user.name=t -c user.email=t@localhost -c commit.gpgsign=false \
		-c tag.gpgsign=false "$@"
}
