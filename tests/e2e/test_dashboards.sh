#!/usr/bin/env bash
# The shipped rules and dashboards in a real Prometheus, on two running applications: every query of
# every panel and rule parses and has data, every alert fires on its fault and on nothing else, and
# the gate's panel says what the gate says. Grafana itself is not part of Debian 12 and does not run
# here: of the dashboards' JSON the structure is checked.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/suites.sh"

DASHBOARDS=("$REPO"/configs/grafana/dashboards/*.json)

# The only query of a panel that has no data when all is well.
EMPTY_WHEN_HEALTHY='ALERTS{alertstate="firing"}'

# These stay longer than the windows of this test, so from then on they are ignored. The application
# counts its modes over five minutes: that fault is shown first, while there is little to outweigh.
SKEW='
distribution_skew=60%      | TrafficDistributionOff
'

# fault of the canary | alerts
FAULTS='
error_rate=8%              | ErrorRateCritical ErrorRateHigh
latency_factor=4           | LatencyHigh
malformed=5%               | SchemaFailures SchemaFixes
no_json=5%                 | FallbackRateHigh
cache_off=1                | CacheHitRateLow
vram_full=90%              | VramHeadroomLow
backlog=200                | QueueBacklog
vram_full=90%,backlog=200  | QueueBacklog ScaleUpBlocked VramHeadroomLow
entropy_stuck=1            | EntropyNotConverged
metrics_down=1             | CanaryDown
'

# A breaker stays open for a minute, a rollback counts for two days, the mean of the reward is of one.
LASTING_FAULTS='
model_down=qwen            | CircuitBreakerOpen
reward_drop=0.8            | CheckpointRollbacks RewardDropped
loss_spike=4               | RlLossAboveProduction RlLossRunaway
'

# --- a Prometheus with the shipped rules, for the impatient ------------------------------------------

rules_quick() {
	mkdir -p "$WORK/rules"
	local file
	for file in "$REPO"/configs/prometheus/rules/*.yaml; do
		sed -e 's/\[5m\]/[6s]/g; s/offset 5m/offset 6s/g; s/< 300/< 6/; s/\[15m\]/[15s]/g' \
			-e 's/^\( *\)for: .*/\1for: 1s/' "$file" >"$WORK/rules/${file##*/}"
	done
}

# Reloads Prometheus with another configuration; the shipped one without an argument.
prometheus_with() { # [SED_EXPRESSION]
	prometheus_conf | sed -e "${1:-}" >"$WORK/prometheus.yml"
	kill -HUP "$(pid_of prometheus)"
}

load_on() { # NAME PORT
	spawn "load-$1" "$BUILD_DIR/tests/loadgen" --url "http://127.0.0.1:$2/api/generate" \
		--rate 100 --duration 900 --mode-mix 60,30,10 --out "$WORK/load-$1.json"
}

scene() {
	scenario_begin dashboards
	export APP_LOG_DIR=$WORK/logs
	mkdir "$APP_LOG_DIR"
	start_refapp production v0.1.0 --config "$REPO/configs/app" --training-step 12000 \
		--fault latency_factor=0.8
	start_refapp canary v0.2.0 --config "$REPO/configs/app" --training-step 12000 \
		--fault latency_factor=0.8 --log "$APP_LOG_DIR/canary.log"
	suites_config
	rules_quick
	start_prometheus
	load_on production "$PRODUCTION_PORT"
	load_on canary "$CANARY_PORT"
	wait_until 60 "the gate's panel is green for both" gate_panel_is_green || show_gate_panel
}

gate_panel_is_green() {
	[ "$(promql 'canaryctl:gate:status')" = $'0\n0' ]
}

show_gate_panel() {
	curl -fsS "$PROMETHEUS/api/v1/query" --data-urlencode 'query=canaryctl:gate:check > 0' |
		jq -c '.data.result[] | [.metric.version, .metric.check, .value[1]]'
}

# --- the dashboards as JSON ------------------------------------------------------------------------

# shellcheck disable=SC2016 # ${datasource} is Grafana's
dashboards_are_sound() {
	local file
	for file in "${DASHBOARDS[@]}"; do
		assert_json "$file" '[.panels[].id] | length == (unique | length)'
		assert_json "$file" '.templating.list | map(select(.name == "datasource" and .type == "datasource"
			and .query == "prometheus")) | length == 1'
		assert_json "$file" '[.panels[] | select(.type != "row")] | length > 0 and all(
			.datasource.uid == "${datasource}" and (.targets | length) > 0
			and (.fieldConfig.defaults.unit | length) > 0 and (.title | length) > 0)'
		assert_json "$file" '[.panels[] | .targets[]?] | all(.datasource.uid == "${datasource}"
			and (.expr | length) > 0 and (.refId | length) > 0)'
		assert_json "$file" '[.panels[].targets[]?.expr | select(test("instance *=|job *=|localhost|:[0-9]{4}"))] == []'
		assert_json "$file" '[.panels[] | .gridPos | select(.x + .w > 24 or .w < 1 or .h < 1)] == []'
	done
	file=$REPO/configs/grafana/dashboards
	assert_json "$file/operations.json" '.uid == "operations"
		and ([.panels[] | select(.id == 22).title] == ["Cache Hit Rate by Mode"])
		and ([.panels[] | select(.id == 23).title] == ["Deployment Gate Status"])'
	assert_json "$file/canary-deployment.json" '.uid == "canary-deployment"'
	assert_json "$file/kpi.json" '.uid == "kpi"'
	# Side by side: what is on the left for production is on the right for the canary.
	assert_json "$file/canary-deployment.json" '
		[.panels[] | select(.title | test(": (production|canary)$"))]
		| length >= 10 and (group_by(.gridPos.y) | all(length == 2 and
			(.[0].title | sub(": production$"; "")) == (.[1].title | sub(": canary$"; ""))
			and .[0].fieldConfig.defaults.thresholds == .[1].fieldConfig.defaults.thresholds))'
}

# check of the gate | panel of operations
THRESHOLDS='
error-rate          | Error rate
p95-fast            | p95, fast
p95-balanced        | p95, balanced
p95-creative        | p95, creative
cache-hit-rate-fast | Cache Hit Rate by Mode
fallback-rate       | Fallback rate
'

# "p95-fast  latency  <= 2.5s" says 2.5, "error-rate  ratio  < 0.5%  preferred < 0.2%" says 0.005.
limit_of() { # CHECK
	awk -v name="$1" '$1 == name { for (i = 2; i <= NF; i++) if ($i ~ /^[<>]=?$/) {
		limit = $(i + 1); share = sub(/%$/, "", limit); sub(/s$/, "", limit)
		print share ? limit / 100 : limit; exit } }' "$OUT"
}

thresholds_are_the_gates() {
	local check title
	ctl gate --list
	assert_status 0
	while IFS='|' read -r check title; do
		[ -n "$check" ] || continue
		check=${check%% *}
		assert_match "$(limit_of "$check")" '^[0-9.]+$' "the limit of $check"
		jq -e --arg title "${title# }" --argjson limit "$(limit_of "$check")" '
			.panels[] | select(.title == $title) | .fieldConfig.defaults.thresholds.steps
			| map(.value) | index($limit) != null' \
			"$REPO/configs/grafana/dashboards/operations.json" >/dev/null ||
			fail "the panel '${title# }' has no threshold $(limit_of "$check")"
	done <<<"$THRESHOLDS"
}

# --- every query -----------------------------------------------------------------------------------

queries_of_dashboards() {
	jq -r '.panels[].targets[]?.expr' "${DASHBOARDS[@]}"
}

# As Prometheus itself has read them, one a line.
queries_of_rules() { # recording | alerting
	curl -fsS "$PROMETHEUS/api/v1/rules" |
		jq -r --arg type "$1" '.data.groups[].rules[] | select(.type == $type) | .query | gsub("\\s+"; " ")'
}

result_count() { # QUERY
	curl -sS "$PROMETHEUS/api/v1/query" --data-urlencode "query=$1" |
		jq -er 'if .status == "success" then .data.result | length else error(.error) end'
}

queries_have_data() { # NAME, queries on stdin
	local query count checked=0
	while read -r query; do
		count=$(result_count "$query") || fail "$1: '$query' is refused"
		[ "$count" -gt 0 ] || [ "$query" = "$EMPTY_WHEN_HEALTHY" ] ||
			fail "$1: '$query' has no data"
		checked=$((checked + 1))
	done
	[ "$checked" -gt 20 ] || fail "$1: only $checked queries were found"
	echo "        $checked queries of $1"
}

every_query_has_data() {
	queries_of_dashboards | queries_have_data dashboards
	queries_of_rules recording | queries_have_data "recording rules"
}

every_rule_is_well() {
	local query count
	curl -fsS "$PROMETHEUS/api/v1/rules" >"$WORK/rules.json"
	assert_json "$WORK/rules.json" '[.data.groups[].rules[] | select(.health != "ok") | .lastError] == []'
	assert_json "$WORK/rules.json" '[.data.groups[].rules[] | select(.type == "alerting")]
		| length > 15 and all((.labels.severity | test("^(critical|warning)$"))
			and ([.annotations.summary, .annotations.description, .annotations.remedy] | all(length > 0)))'
	# An alert is silent when all is well, and a typo in it would be silent too: see below.
	while read -r query; do
		count=$(result_count "$query") || fail "'$query' is refused"
		[ "$count" -eq 0 ] || fail "'$query' would fire on a healthy service"
	done < <(queries_of_rules alerting)
	assert_equal "$(firing)" "" "what fires on a healthy service"
}

# Metrics in a query: what is left without strings, label lists, functions and operators.
metrics_of() {
	sed -E 's/"[^"]*"//g; s/\{[^}]*\}//g; s/\[[^]]*\]//g' |
		sed -E 's/\b(by|without|on|ignoring|group_left|group_right) *\([^)]*\)//g; s/[a-z_0-9]+ *\(/ ( /g' |
		grep -oE '\b[a-zA-Z_][a-zA-Z0-9_:]*\b' |
		grep -vxE 'and|or|unless|bool|offset|[0-9]+[smhd]' | sort -u
}

# Last: a counter of what has never happened has no series, and the faults have made all of them.
every_metric_exists() {
	curl -fsS "$PROMETHEUS/api/v1/label/__name__/values" | jq -r '.data[]' | sort >"$WORK/known"
	{
		queries_of_dashboards
		queries_of_rules recording
		queries_of_rules alerting
	} | metrics_of >"$WORK/used"
	[ "$(wc -l <"$WORK/used")" -gt 40 ] || fail "only $(wc -l <"$WORK/used") metrics were found"
	assert_equal "$(comm -23 "$WORK/used" "$WORK/known" | tr '\n' ' ')" "" "what is used and does not exist"
}

# --- the gate's panel ------------------------------------------------------------------------------

# "check status" lines, as the program and as the panel have them.
gate_of_program() { # VERSION
	ctl gate --target "$1" --output "$REPORT"
	jq -r '.checks[] | select(.name != "prometheus-up")
		| "\(.name) \({GO: 0, WARNING: 1, NO_GO: 2}[.status])"' "$REPORT" | sort
}

gate_of_panel() { # VERSION
	curl -fsS "$PROMETHEUS/api/v1/query" --data-urlencode "query=canaryctl:gate:check{version=\"$1\"}" |
		jq -r '.data.result[] | "\(.metric.check) \(.value[1])"' | sort
}

gates_agree() { # VERSION
	gate_of_program "$1" >"$WORK/gate.program"
	gate_of_panel "$1" >"$WORK/gate.panel"
	[ -s "$WORK/gate.panel" ] && cmp -s "$WORK/gate.program" "$WORK/gate.panel"
}

panel_is_the_gate() {
	local version
	for version in production canary; do
		wait_until 30 "the panel agrees about $version" gates_agree "$version" ||
			fail "program and panel differ: $(diff "$WORK/gate.program" "$WORK/gate.panel")"
	done
	canary_fault error_rate=8%
	wait_until 30 "the panel is NO-GO" panel_says error-rate 2
	wait_until 30 "the panel agrees about a bad canary" gates_agree canary ||
		fail "program and panel differ: $(diff "$WORK/gate.program" "$WORK/gate.panel")"
	assert_equal "$(jq -r .verdict "$REPORT")" NO_GO "the gate's verdict"
	assert_equal "$(promql 'canaryctl:gate:status{version="production"}')" 0 "the panel of production"
	all_well
}

panel_says() { # CHECK STATUS
	[ "$(promql "canaryctl:gate:check{version=\"canary\",check=\"$1\"}")" = "$2" ]
}

# --- every alert -----------------------------------------------------------------------------------

# Names of what fires, once each; $IGNORED has what an earlier case left for long.
IGNORED=' '
firing() {
	curl -fsS "$PROMETHEUS/api/v1/alerts" | jq -r --arg ignored "$IGNORED" '
		[.data.alerts[] | select(.state == "firing") | .labels.alertname
			| select(. as $name | $ignored | contains(" \($name) ") | not)] | unique | join(" ")'
}

fires_exactly() { # ALERTS
	[ "$(firing)" = "$1" ]
}

all_well() {
	canary_fault all=off latency_factor=0.8
	wait_until 60 "nothing fires" fires_exactly "" || fail "still firing: $(firing)"
}

fault_fires() { # FAULTS ALERTS
	local -a faults
	IFS=, read -r -a faults <<<"$1"
	canary_fault "${faults[@]}"
	wait_until 60 "$1 fires" fires_exactly "$2" || fail "$1 fires '$(firing)', expected '$2'"
	echo "        $1: $2"
}

passing_fault() { # FAULTS ALERTS
	fault_fires "$@"
	all_well
}

lasting_fault() { # FAULTS ALERTS
	fault_fires "$@"
	canary_fault all=off latency_factor=0.8
	IGNORED+="$2 "
}

for_each_row() { # TABLE FUNCTION
	local fault alerts
	while IFS='|' read -r fault alerts; do
		[ -z "$fault" ] || "$2" "${fault%% *}" "${alerts# }"
	done <<<"$1"
}

faults_fire() {
	all_well
	for_each_row "$SKEW" lasting_fault
	for_each_row "$FAULTS" passing_fault
	for_each_row "$LASTING_FAULTS" lasting_fault
}

# What no fault of the application makes: trouble of production, and of Prometheus itself.
monitoring_fires() {
	IGNORED=' CheckpointRollbacks CircuitBreakerOpen RewardDropped RlLossAboveProduction RlLossRunaway TrafficDistributionOff '
	CANARY_PORT=$PRODUCTION_PORT canary_fault metrics_down=1
	wait_until 60 "production is down" fires_exactly ProductionDown || fail "'$(firing)' fires"
	CANARY_PORT=$PRODUCTION_PORT canary_fault metrics_down=0

	prometheus_with 's/^scrape_configs:/nonsense:/'
	wait_until 60 "a refused configuration" fires_exactly PrometheusConfigRefused || fail "'$(firing)' fires"

	# The canary's series under another label; then no canary at all.
	prometheus_with '/fragrance-ai-canary/a\    metric_relabel_configs: [{target_label: version, replacement: other}]'
	wait_until 60 "a canary without metrics" fires_alert CanaryMetricsAbsent || fail "'$(firing)' fires"
	prometheus_with "s/\\[\"127.0.0.1:$CANARY_PORT\"\\]/[]/"
	wait_until 60 "no canary" fires_alert CanaryNotScraped || fail "'$(firing)' fires"

	# A rule that cannot be evaluated: many series on both sides.
	printf '%s\n' 'groups:' '- name: broken' '  rules:' '  - {record: x, expr: up + on () up}' >"$WORK/rules/broken.yaml"
	prometheus_with
	wait_until 60 "a rule that fails" fires_alert RuleEvaluationFails || fail "'$(firing)' fires"
	rm "$WORK/rules/broken.yaml"
	prometheus_with
}

fires_alert() { # NAME
	[[ " $(firing) " == *" $1 "* ]]
}

# With the list of those that a case showed, none is left over.
every_alert_was_shown() {
	{
		printf '%s\n' "$SKEW" "$FAULTS" "$LASTING_FAULTS" | sed 's/.*|//' | tr ' ' '\n' | sed '/^$/d'
		printf '%s\n' ProductionDown PrometheusConfigRefused CanaryMetricsAbsent CanaryNotScraped RuleEvaluationFails
	} | sort -u >"$WORK/shown"
	curl -fsS "$PROMETHEUS/api/v1/rules" |
		jq -r '.data.groups[].rules[] | select(.type == "alerting") | .name' | sort -u >"$WORK/alerts"
	assert_equal "$(comm -13 "$WORK/shown" "$WORK/alerts" | tr '\n' ' ')" "" "alerts that no case shows"
}

scene
run_case dashboards_are_sound "the dashboards' JSON: ids, queries, data source, units, no instance names"
run_case thresholds_are_the_gates "thresholds of panels are the limits of the gate"
run_case every_query_has_data "every query of every dashboard and recording rule has data"
run_case every_rule_is_well "every rule is well; every alert is complete, and silent when all is well"
run_case panel_is_the_gate "the gate's panel says what the gate says, check by check"
run_case faults_fire "every fault fires its alerts, and no others"
run_case monitoring_fires "production, the canary's metrics, and Prometheus itself have alerts"
run_case every_alert_was_shown "no alert was left out"
run_case every_metric_exists "every metric that a query names exists"
scenario_end
