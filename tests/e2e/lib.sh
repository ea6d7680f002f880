# shellcheck shell=bash
# What every scenario shares: real servers, a configuration for them, and assertions that show what
# was expected and what was seen. A scenario file sources this, starts what it needs, and runs its
# cases; each case is one function, and the file fails when any case did.

set -euo pipefail

: "${CANARYCTL:?path of the canaryctl binary}" "${BUILD_DIR:?build folder with refapp and loadgen}"

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../../scripts/servers.sh
. "$E2E/../../scripts/servers.sh"

CASES_RUN=0
CASES_FAILED=0

# Nothing of the caller's environment may steer what is tested.
unset CANARYCTL_CONFIG NO_COLOR PROMETHEUS_URL GITHUB_STEP_SUMMARY GITHUB_OUTPUT
export LC_ALL=C

scenario_begin() { # NAME
	exec 2>&1 # assertions, logs and results in one order
	servers_begin "e2e-$1"
	places_choose
	CONFIG=$WORK/canaryctl.yaml
	STATE_DIR=$WORK/state
	REPORT=$WORK/report.json
	OUT=$WORK/out
	ERR=$WORK/err
	TEMPLATE=$REPO/nginx/conf.d/upstream.conf.template
}

scenario_end() {
	echo "$CASES_RUN cases, $CASES_FAILED failed"
	[ "$CASES_FAILED" -eq 0 ]
}

# Runs one case in a subshell, so that its first failing command ends it and nothing else.
run_case() { # FUNCTION DESCRIPTION
	local status started=$SECONDS
	if [ -n "${ONLY:-}" ] && [[ $1 != *"$ONLY"* ]]; then
		return 0
	fi
	CASES_RUN=$((CASES_RUN + 1))
	set +e
	(
		set -e
		"$1"
	)
	status=$?
	set -e
	if [ "$status" -eq 0 ]; then
		echo "ok      $2 ($((SECONDS - started)) s)"
		return 0
	fi
	CASES_FAILED=$((CASES_FAILED + 1))
	echo "FAILED  $2 (exit $status)"
	show_tails
}

show_tails() {
	local file
	for file in "$OUT" "$ERR" "$WORK"/*.log "$NGINX_PREFIX/logs/error.log"; do
		if [ -s "$file" ]; then
			echo "--- ${file#"$WORK"/}"
			tail -n 25 "$file" | cut -c1-600
		fi
	done
	rm -f "$OUT" "$ERR"
}

fail() { # MESSAGE...
	printf 'assertion: %s\n' "$*" >&2
	return 1
}

# --- servers ---------------------------------------------------------------------------------------

# The usual scene: production and canary with their metrics, NGINX with everything on production.
start_scene() { # [WORKER_PROCESSES]
	start_refapp production v0.1.0
	start_canary
	start_site "${1:-2}"
	start_prometheus
}

# A good canary is a little faster than the models are: with the few samples of a test, one slow
# request of chance would be more than 5 % of them.
start_canary() {
	start_refapp canary v0.2.0 --fault latency_factor=0.8
}

# NGINX alone, on the shipped configuration and with the canary at 0 %.
start_site() { # [WORKER_PROCESSES]
	nginx_conf_shipped "${1:-2}" >"$NGINX_CONF"
	upstream_at_zero "$TEMPLATE" >"$UPSTREAM_CONF"
	start_nginx
}

CANARY_FAULTS=(error_rate latency_ms malformed loss_spike unhealthy)

# Switches faults of the canary on; `reset` switches all of them off.
canary_fault() { # NAME=VALUE... | reset
	local assignment
	if [ "$1" = reset ]; then
		set -- "${CANARY_FAULTS[@]/%/=0}"
	fi
	for assignment; do
		curl -fsS -X POST "http://127.0.0.1:$CANARY_PORT/admin/fault" \
			-d "{\"name\":\"${assignment%%=*}\",\"value\":\"${assignment#*=}\"}" >/dev/null
	done
}

# --- configuration ---------------------------------------------------------------------------------

# Writes $CONFIG. What a case wants otherwise it sets in front: CFG_OBSERVE=5s write_config
write_config() {
	local test reload
	printf -v test '[nginx, -p, "%s/", -c, "%s", -t]' "$NGINX_PREFIX" "$NGINX_CONF"
	printf -v reload '[nginx, -p, "%s/", -c, "%s", -s, reload]' "$NGINX_PREFIX" "$NGINX_CONF"
	cat >"${CFG_FILE:-$CONFIG}" <<-END
		service: fragrance-ai
		state_dir: ${CFG_STATE_DIR:-$STATE_DIR}
		production: { server: "127.0.0.1:$PRODUCTION_PORT", health: "http://127.0.0.1:$PRODUCTION_PORT/health" }
		canary:     { server: "127.0.0.1:$CANARY_PORT", health: "http://127.0.0.1:$CANARY_PORT/health" }
		prometheus:
		  url: ${CFG_PROMETHEUS:-$PROMETHEUS}
		  timeout: 1s
		  scrape_interval: 250ms
		  outage_limit: ${CFG_OUTAGE_LIMIT:-2s}
		traffic:
		  nginx:
		    template: ${CFG_TEMPLATE:-$TEMPLATE}
		    output: ${CFG_OUTPUT:-$UPSTREAM_CONF}
		    test: ${CFG_TEST:-$test}
		    reload: ${CFG_RELOAD:-$reload}
		    proof: { listen: "127.0.0.1:$PROOF_PORT" }
		    ${CFG_BRAKE-brake: $BRAKE}
		    settle_timeout: ${CFG_SETTLE_TIMEOUT:-5s}
		    ${CFG_NGINX:-}
		  ${CFG_SHARE-$SHARE_DEFAULT}
		rollout:
		  stages: ${CFG_STAGES:-[5, 25, 50, 100]}
		  observe: ${CFG_OBSERVE:-3s}
		  interval: ${CFG_INTERVAL:-250ms}
		  settle: ${CFG_SETTLE:-1s}
		  consecutive_failures: 3
		  on_inconclusive: ${CFG_ON_INCONCLUSIVE:-extend}
		  extend_limit: ${CFG_EXTEND_LIMIT:-3s}
		  on_interrupt: ${CFG_ON_INTERRUPT:-rollback}
		${CFG_CHECKS-$(shipped_checks)}
		${CFG_EXTRA:-}
	END
}

SHARE_DEFAULT="share: { requests: 'http_requests_total', canary: 'version=\"canary\"', production: 'version=\"production\"' }"

# The checks of the shipped configuration, with a sample minimum that a test's few seconds can reach.
shipped_checks() {
	sed -n '/^checks:/,/^[a-z]/{/^checks:/p;/^[^a-z]/p}' "$REPO/configs/canaryctl.yaml" |
		sed "s/min_samples: [0-9]*/min_samples: ${CFG_MIN_SAMPLES:-10}/"
}

# --- running ---------------------------------------------------------------------------------------

# Runs canaryctl, leaves its output in $OUT and $ERR and its exit code in $STATUS; never fails itself.
ctl() { # ARGUMENT...
	rm -f "$REPORT"
	set +e
	timeout "${CTL_TIMEOUT:-90}" "$CANARYCTL" --config "$CONFIG" "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
	set -e
}

# The same in the background, under the name 'deploy'; ctl_wait fetches the exit code.
ctl_start() { # ARGUMENT...
	rm -f "$REPORT"
	"$CANARYCTL" --config "$CONFIG" "$@" >"$OUT" 2>"$ERR" </dev/null &
	echo $! >"$WORK/pids/deploy"
}

ctl_wait() { # [SECONDS]
	wait_until "${1:-60}" "canaryctl has ended" is_gone deploy || return 1
	set +e
	wait "$(pid_of deploy)"
	STATUS=$?
	set -e
	rm -f "$WORK/pids/deploy"
}

# --- assertions ------------------------------------------------------------------------------------

assert_status() { # EXPECTED
	[ "$STATUS" -eq "$1" ] || fail "exit code $STATUS, expected $1; last line: $(tail -n 1 "$ERR")"
}

assert_equal() { # SEEN EXPECTED WHAT
	[ "$1" = "$2" ] || fail "$3 is '$1', expected '$2'"
}

assert_match() { # TEXT EXTENDED_REGEX WHAT
	[[ $1 =~ $2 ]] || fail "$3 is '$1', expected to match '$2'"
}

assert_output() { # EXTENDED_REGEX
	grep -Eq -- "$1" "$OUT" || fail "no '$1' on stdout"
}

assert_error() { # EXTENDED_REGEX
	grep -Eq -- "$1" "$ERR" || fail "no '$1' on stderr: $(head -c 600 "$ERR")"
}

# A JSON file has what the jq filter asks for.
assert_json() { # FILE FILTER
	jq -e "$2" "$1" >/dev/null 2>&1 || fail "'$2' does not hold in $(jq -c . "$1" 2>&1 | head -c 1500)"
}

assert_between() { # SEEN LOW HIGH WHAT
	awk -v x="$1" -v a="$2" -v b="$3" 'BEGIN { exit !(x >= a && x <= b) }' ||
		fail "$4 is $1, expected $2 to $3"
}

# Everything under a folder as one list of checksum, time of change, mode and name.
fingerprint() { # FOLDER...
	find "$@" \( -type f -o -type d -o -type l \) ! -path '*/logs/*' \
		-printf '%y %m %T@ %p ' \( -type f -exec sha256sum {} \; -o -printf '\n' \) 2>/dev/null | sort
}

assert_unchanged() { # BEFORE AFTER WHAT
	[ "$1" = "$2" ] || fail "$3 changed: $(diff <(echo "$1") <(echo "$2") | head -n 20)"
}

# --- what NGINX really does ------------------------------------------------------------------------

# How many of COUNT requests the canary answers, each on a connection of its own and as a new user.
canary_hits() { # COUNT
	local config=$WORK/requests i
	for ((i = 0; i < $1; i++)); do
		printf 'url = "%s/api/generate"\nheader = "X-User-Id: u%s-%s"\noutput = /dev/null\nwrite-out = "%%header{x-deployment}\\n"\nnext\n' \
			"$SITE" "$i" "$RANDOM"
	done | sed '$d' >"$config"
	curl -sS --no-keepalive -K "$config" | grep -c '^canary$' || :
}

# What the proof address says: the weight in force.
proof() { # FIELD
	curl -fsS "http://127.0.0.1:$PROOF_PORT/" | jq -r ".$1"
}

weight_is() { # CANARY_WEIGHT
	[ "$(proof canary)" = "$1" ]
}

all_on_production() {
	local hits
	hits=$(canary_hits 40)
	[ "$hits" -eq 0 ] || fail "$hits of 40 requests reached the canary, expected none"
}
