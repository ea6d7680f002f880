#!/usr/bin/env bash
# autoscale on a real Prometheus: decisions with their reasons, what blocks them, what --apply runs, the
# cool-down across processes, and every way of not knowing enough.
#
# Production's backlog is the load. The canary's backlog stands for the number of instances, so that the
# scale command, a request to the canary, really changes what Prometheus says.
. "$(dirname "$0")/lib.sh"

METRIC='max(queue_depth{version="production",queue="llm"})'

# What a case wants otherwise it sets in front: CFG_METRIC=... autoscale_config
autoscale_config() {
	CFG_EXTRA=$(
		cat <<-END
			suites:
			  gpu:
			    - name: vram-headroom
			      gpu: { min_headroom: 20%, source: prometheus, labels: 'version="\${target}"' }
			autoscaling:
			  interval: 250ms
			  timeout: 10s
			  services:
			    worker-llm:
			      replicas: 'max(queue_depth{version="canary",queue="llm"})'
			      metric: '${CFG_METRIC:-$METRIC}'
			      scale_up: { when: "> 10", for: 1s, cooldown: ${CFG_COOLDOWN:-1s} }
			      scale_down: { when: "< 2", for: 1s, cooldown: ${CFG_COOLDOWN:-1s} }
			      min: 1
			      max: 4
			      blocked_by: [gpu/vram-headroom]
			      scale: ${CFG_SCALE:-$SCALE}
		END
	) write_config
}

fault() { # PORT NAME VALUE
	curl -fsS -X POST "http://127.0.0.1:$1/admin/fault" -d "{\"name\":\"$2\",\"value\":\"$3\"}" >/dev/null
}

# LOAD and number of instances, known to Prometheus.
situation() { # LOAD REPLICAS
	fault "$PRODUCTION_PORT" backlog "$1"
	fault "$PRODUCTION_PORT" vram_full 0
	fault "$PRODUCTION_PORT" metrics_down 0
	fault "$CANARY_PORT" backlog "$2"
	wait_until 30 "Prometheus knows" is_known "$1" "$2"
}

is_known() { # LOAD REPLICAS
	[ "$(promql 'queue_depth{version="production",queue="llm"}')" = "$1" ] &&
		[ "$(promql 'queue_depth{version="canary",queue="llm"}')" = "$2" ]
}

replicas_are() { # REPLICAS
	[ "$(promql 'queue_depth{version="canary",queue="llm"}')" = "$1" ]
}

# Looks again until the decision is this one: a condition needs its time.
decides() { # FILTER [ARGUMENT...]
	local filter=$1
	shift
	wait_until 30 "it decides: $filter" looks_so "$filter" "$@" || {
		fail "'$filter' does not hold in $(head -c 1500 "$OUT")"
	}
}

looks_so() { # FILTER [ARGUMENT...]
	local filter=$1
	shift
	ctl autoscale --once --format json "$@"
	jq -e ".services[0] | $filter" "$OUT" >/dev/null
}

forget() {
	rm -rf "$STATE_DIR"
}

looking() {
	autoscale_config
	situation 50 2
	decides '.decision == "up" and .to == 3'
	assert_status 0
	assert_json "$OUT" '.services | length == 1'
	assert_json "$OUT" '.services[0] | .service == "worker-llm" and .replicas == 2 and .metric == 50
		and .blocked_by == [] and .applied == null and .error == null and (.needs_person | not)
		and .reason == "50, and > 10 for 1s"'
	ctl autoscale --once
	assert_status 0
	assert_output '^service     now  decision  metric  reason$'
	assert_output '^worker-llm    2  up to 3       50  50, and > 10 for 1s$'
	# Nothing was changed and nothing was written.
	replicas_are 2
	[ ! -e "$STATE_DIR" ] || fail "looking left $(find "$STATE_DIR")"
	situation 5 2
	decides '.decision == "hold" and .to == 2 and (.needs_person | not)'
	assert_status 0
	situation 0 3
	decides '.decision == "down" and .to == 2'
	situation 50 4
	decides '.decision == "hold" and .needs_person and (.reason | test("already at max"))'
	assert_status 1
}

blocked() {
	autoscale_config
	situation 50 2
	fault "$PRODUCTION_PORT" vram_full 85%
	decides '.decision == "hold" and .needs_person and .blocked_by == ["gpu/vram-headroom"]
		and (.reason | test("blocked by gpu/vram-headroom \\(FAIL\\): .*15%"))'
	assert_status 1
	ctl autoscale --once
	assert_output '^worker-llm +2  blocked '
	# Never the way down.
	fault "$PRODUCTION_PORT" backlog 0
	decides '.decision == "down" and .to == 1 and .blocked_by == ["gpu/vram-headroom"]'
	assert_status 0
	fault "$PRODUCTION_PORT" backlog 50
	fault "$PRODUCTION_PORT" vram_full 0
	decides '.decision == "up" and .blocked_by == []'
}

applying() {
	forget
	autoscale_config
	situation 50 1
	decides '.decision == "up" and .to == 2 and .applied' --apply
	assert_status 0
	wait_until 30 "there are two" replicas_are 2
	# Another process, with a longer cool-down, still knows.
	CFG_COOLDOWN=1h autoscale_config
	decides '.decision == "hold" and (.reason | test("it was scaled up: cools down for (1h|5[0-9]m)"))' --apply
	assert_status 0
	replicas_are 2
	autoscale_config
	situation 0 2
	decides '.decision == "down" and .applied' --apply
	wait_until 30 "there is one" replicas_are 1
	[ "$(stat -c %a "$STATE_DIR/fragrance-ai/autoscale/journal.db")" = 600 ] || fail "others may read the memory"
}

damaged_memory() {
	CFG_COOLDOWN=1h autoscale_config
	situation 50 2
	head -c 8192 /dev/urandom >"$STATE_DIR/fragrance-ai/autoscale/journal.db"
	rm -f "$STATE_DIR/fragrance-ai/autoscale/journal.db-"*
	decides '.decision == "hold" and .needs_person and (.reason | test("cannot be read"))'
	assert_status 1
	assert_error 'note: when it last scaled cannot be read'
	ctl autoscale --once --apply
	assert_status 1
	assert_error 'a new memory begins'
	assert_output 'hold'
	decides '.decision == "hold" and (.reason | test("not known what was scaled before"))' --apply
	assert_status 0
	replicas_are 2
}

failing_command() {
	forget
	# shellcheck disable=SC2016 # a variable of canaryctl's
	CFG_SCALE='[sh, -c, "echo no room on this host >&2; exit 7", "${replicas}"]' autoscale_config
	situation 50 2
	decides '.decision == "up" and .applied == false and (.error | test("no room on this host"))' --apply
	assert_status 2
	assert_error 'no room on this host'
	# A command that failed is not repeated at once.
	CFG_COOLDOWN=1h autoscale_config
	decides '.decision == "hold" and .needs_person and (.reason | test("the last try to scale it up failed: tries again in "))' --apply
}

not_knowing() {
	CFG_METRIC='max(no_such_metric)' autoscale_config
	situation 50 2
	decides '.decision == "hold" and .needs_person and .metric == null and (.reason | test("no value now"))'
	assert_status 1
	CFG_METRIC='queue_depth' autoscale_config
	decides '.decision == "hold" and .needs_person and (.reason | test("4 series: put max"))'
	CFG_METRIC='max(queue_depth' autoscale_config
	decides '.decision == "hold" and .needs_person and (.reason | test("parse error"))'
	# A metric that goes away, between two looks.
	autoscale_config
	fault "$PRODUCTION_PORT" metrics_down 1
	decides '.decision == "hold" and .needs_person and (.reason | test("no value now"))'
	fault "$PRODUCTION_PORT" metrics_down 0
	CFG_PROMETHEUS=http://127.0.0.1:$(free_port) autoscale_config
	ctl autoscale --once --apply
	assert_status 69
	assert_error 'Prometheus cannot be reached'
	write_config
	ctl autoscale --once
	assert_status 78
	assert_error 'has no autoscaling rules'
	# shellcheck disable=SC2016 # a variable of canaryctl's
	CFG_METRIC='max(x[${windw}])' autoscale_config
	ctl autoscale --once
	assert_status 78
	assert_error "canaryctl.yaml:[0-9]+:[0-9]+: autoscaling.services.worker-llm.metric: .*windw"
}

during_a_rollout() {
	CFG_OBSERVE=60s autoscale_config
	situation 0 3
	decides '.decision == "down"'
	ctl_start deploy --version v0.2.0 --yes
	wait_until 30 "the rollout runs" grep -q observing "$OUT"
	mv "$OUT" "$WORK/deploy.out" # the deploy goes on writing there
	decides '.decision == "hold" and (.needs_person | not) and (.reason | test("a rollout runs"))'
	kill -INT "$(pid_of deploy)"
	ctl_wait 30
	decides '.decision == "down"'
}

going_on() {
	local signal status
	forget
	autoscale_config
	for signal in TERM INT; do
		status=$([ "$signal" = TERM ] && echo 143 || echo 130)
		situation 50 1
		ctl_start autoscale --apply
		wait_until 30 "it scales to the maximum" replicas_are 4
		wait_until 30 "and says so" grep -q 'already at max' "$OUT"
		[ "$(grep -c 'up to .*; done$' "$OUT")" = 3 ] || fail "not three scalings: $(cat "$OUT")"
		[ "$(wc -l <"$OUT")" -lt 20 ] || fail "it says more than what changes: $(wc -l <"$OUT") lines"
		if [ "$signal" = TERM ]; then
			"$CANARYCTL" --config "$CONFIG" autoscale --once --apply >/dev/null 2>"$WORK/second" && fail "two apply"
			[ $? -eq 75 ] || fail "exit $?, expected 75: $(cat "$WORK/second")"
			"$CANARYCTL" --config "$CONFIG" autoscale --once >/dev/null || [ $? -eq 1 ] || fail "looking is refused"
		fi
		kill "-$signal" "$(pid_of deploy)"
		ctl_wait 10
		assert_status "$status"
	done
	# A command that runs when it is stopped is waited for.
	CFG_SCALE="[sh, -c, 'echo begun >$WORK/begun; while [ ! -e $WORK/go ]; do sleep 0.05; done; echo done >$WORK/done', '\${replicas}']" \
		autoscale_config
	situation 50 1
	ctl_start autoscale --apply
	wait_until 30 "the command runs" test -s "$WORK/begun"
	kill -TERM "$(pid_of deploy)"
	pause_ms 300
	is_running deploy || fail "it left its command alone"
	: >"$WORK/go"
	ctl_wait 10
	assert_status 143
	[ -s "$WORK/done" ] || fail "the command was cut short"
}

outage() {
	autoscale_config
	situation 5 2
	ctl_start autoscale
	wait_until 30 "it looks" grep -q neither "$OUT"
	stop prometheus
	wait_until 30 "it says so" grep -q 'Prometheus cannot be reached' "$ERR"
	rm -rf "$WORK/prometheus-data"
	: >"$OUT"
	start_prometheus
	wait_until 30 "it goes on" grep -q worker-llm "$OUT"
	[ "$(grep -c 'cannot be reached' "$ERR")" -eq 1 ] || fail "an outage is said once: $(cat "$ERR")"
	kill -TERM "$(pid_of deploy)"
	ctl_wait 10
	assert_status 143
}

scenario_begin autoscale
SCALE="[curl, -fsS, -X, POST, \"http://127.0.0.1:$CANARY_PORT/admin/fault\", -d, '{\"name\":\"backlog\",\"value\":\"\${replicas}\"}']"
start_scene
run_case looking 'up, down, hold, at max: decided with a reason, and nothing is changed'
run_case blocked 'VRAM headroom under 20 % blocks scaling up, and never down'
run_case applying '--apply runs the command and keeps the cool-down across processes'
run_case damaged_memory 'a damaged memory is said, and nothing is scaled for a cool-down'
run_case failing_command 'a failing command: exit 2 with its last words, and not again at once'
run_case not_knowing 'no data, several series, no Prometheus, no rules'
run_case during_a_rollout 'nothing is scaled down while a rollout runs'
run_case going_on 'continuous: scales step by step, one applies, ends by a signal'
run_case outage 'continuous: goes on after an outage of Prometheus'
scenario_end
