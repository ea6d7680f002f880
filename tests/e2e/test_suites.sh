#!/usr/bin/env bash
# check and gate with the shipped suites, on a real Prometheus and a real application: all GO when it
# is well, exit codes, formats, and what a rollout's preflight makes of them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/suites.sh"

all_go() {
	local suites=(smoke guards gate gpu tuning daily)
	check_suites "${suites[@]}"
	assert_equal "$(checks_that_are NO_GO)" "" "what is NO_GO on a healthy canary"
	assert_equal "$(checks_that_are WARNING)" "" "what warns on a healthy canary"
	assert_status 0
	[ "$(grep -c '^GO ' "$OUT")" -eq ${#suites[@]} ] || fail "not every suite is GO"
}

gate_formats() {
	ctl gate --target canary --format json --output "$REPORT" --junit "$WORK/junit.xml"
	assert_status 0
	assert_json "$OUT" '.suite == "gate" and .verdict == "GO" and .counts.NO_GO == 0
		and (.started_at | test("^[0-9-]+T[0-9:]+Z$")) and (.duration_ms | type) == "number"'
	assert_json "$OUT" '[.checks[] | keys] | unique
		== [["duration_ms","hint","kind","message","name","require","result","status","value"]]'
	assert_json "$OUT" '[.checks[] | .hint | type] | unique == ["string"]'
	cmp -s "$OUT" "$REPORT" || fail "--output differs from what was printed"
	grep -q '<testsuite name="gate" tests="16" failures="0" errors="0"' "$WORK/junit.xml" ||
		fail "JUnit: $(head -c 300 "$WORK/junit.xml")"
	# All at once: as long as the slowest check, not the sum of them.
	jq -e '.duration_ms < 1.3 * ([.checks[].duration_ms] | max) + 200' "$REPORT" >/dev/null ||
		fail "the gate took $(jq -c '[.duration_ms, [.checks[].duration_ms]]' "$REPORT")"
}

# Whoever is told NO-GO is told what to do.
every_hint() {
	ctl check smoke guards gate gpu tuning daily weekly predeploy --target canary --version v0.2.0 --output "$REPORT"
	jq -es '([.[].suite] | length) == 8 and ([.[].checks[]] | length > 100)
		and all(.[].checks[]; (.hint | type) == "string" and (.hint | length) > 5)' "$REPORT" >/dev/null ||
		fail "no hint: $(jq -c '.suite as $s | .checks[] | select((.hint // "") | length <= 5) | [$s, .name]' "$REPORT")"
}

only_and_list() {
	ctl gate --target canary --only error-rate --output "$REPORT"
	assert_status 0
	assert_json "$REPORT" '[.checks[].name] == ["error-rate"]'
	ctl gate --list
	assert_status 0
	assert_output '  error-rate  ratio  < 0.5%  preferred < 0.2%'
	ctl gate --only eror-rate
	assert_status 64
	ctl check gaet
	assert_status 64
	assert_error "did you mean 'gate'"
}

strict_and_no_go() {
	CFG_EXTRA=$(
		cat <<-'END'
			suites:
			  mild:
			    - { name: soft, command: { argv: ["false"] }, severity: warning, hint: look here }
			    - { name: good, command: { argv: ["true"] } }
		END
	) write_config
	ctl check mild --output "$REPORT"
	assert_status 1
	assert_equal "$(checks_that_are WARNING)" "mild/soft " "what warns"
	assert_output 'do: look here'
	assert_output '^WARNING  1 warns'
	ctl check mild --strict --output "$REPORT"
	assert_status 2
	assert_json "$REPORT" '.verdict == "NO_GO" and [.checks[] | select(.status == "NO_GO") | .name] == ["soft"]'
	GITHUB_STEP_SUMMARY=$WORK/summary GITHUB_OUTPUT=$WORK/outputs ctl check mild --strict
	assert_error '^::error title=NO-GO::mild/soft: '
	grep -q '^verdict=NO_GO$' "$WORK/outputs" || fail "outputs: $(cat "$WORK/outputs")"
	grep -q '| soft | NO-GO | FAIL |' "$WORK/summary" || fail "summary: $(cat "$WORK/summary")"
	suites_config
}

# A Prometheus that takes connections and says nothing: the gate ends in its time, and is no pass.
hanging_prometheus() {
	local began=$SECONDS
	kill -STOP "$(pid_of prometheus)"
	ctl gate --target canary --output "$REPORT"
	kill -CONT "$(pid_of prometheus)"
	assert_status 2
	[ $((SECONDS - began)) -lt 30 ] || fail "it took $((SECONDS - began)) s"
	assert_json "$REPORT" '.counts.GO == 0'
}

# The same of an application, of a check's program and of a log's program: none of them holds a suite up.
hanging_others() {
	local began suite longest=0 passed=
	kill -STOP "$(pid_of canary)"
	wait_until 20 "the scrape is seen to hang" canary_is_down
	for suite in gate guards gpu daily; do
		began=$SECONDS
		ctl check "$suite" --target canary
		[ "$STATUS" -eq 2 ] || passed+=" $suite"
		[ $((SECONDS - began)) -le "$longest" ] || longest=$((SECONDS - began))
	done
	kill -CONT "$(pid_of canary)"
	wait_until 20 "the canary answers again" curl -fs "http://127.0.0.1:$CANARY_PORT/health"
	assert_equal "$passed" "" "what did not say no"
	[ "$longest" -lt 30 ] || fail "a suite took $longest s"

	CFG_EXTRA=$(
		cat <<-END
			suites:
			  hanging:
			    timeout: 3s
			    checks:
			      - { name: program, command: { argv: [sleep, "600"], timeout: 500s } }
			      - { name: log, log: { command: [sleep, "600"], match: x }, require: ">= 1" }
			      - { name: patient, command: { argv: [sleep, "600"], timeout: 1s } }
		END
	) write_config
	began=$SECONDS
	ctl check hanging --output "$REPORT"
	[ $((SECONDS - began)) -lt 30 ] || fail "it took $((SECONDS - began)) s"
	assert_status 2
	assert_equal "$(checks_that_are NO_GO)" "hanging/log hanging/patient hanging/program " "what is NO_GO"
	suites_config
}

canary_is_down() {
	[ "$(promql 'up{version="canary"}')" = 0 ]
}

# ^C ends what the checks started, too.
stopped() {
	local pid
	CFG_EXTRA="suites: { slow: [ { name: slow, command: { argv: [sh, -c, 'echo \$\$ >$WORK/slow.pid; exec sleep 60'], timeout: 60s } } ] }" write_config
	ctl_start check slow
	wait_until 10 "the program runs" test -s "$WORK/slow.pid"
	pid=$(cat "$WORK/slow.pid")
	kill -INT "$(pid_of deploy)"
	ctl_wait 10
	assert_status 130
	! kill -0 "$pid" 2>/dev/null || fail "the check's program goes on"
	suites_config
}

# --- a release to be deployed ------------------------------------------------------------------------

predeploy_is() { # EXPECTED_CHECK...
	ctl check predeploy --version v0.2.0 --output "$REPORT"
	assert_equal "$(checks_that_are NO_GO)" "$(sorted "$@" | sed 's/^ $//')" "what is NO_GO"
}

five_areas() {
	make_release
	suites_config
	predeploy_is
	assert_status 0
	ctl check weekly --target canary --only model-integrity
	assert_status 0

	ctl check predeploy --version v0.3.0 --output "$REPORT"
	assert_equal "$(checks_that_are NO_GO)" "predeploy/migrations-applied predeploy/release-tag " "for another version"
	echo changed >>"$RELEASE_DIR/checkpoints/policy.pt"
	predeploy_is predeploy/model-checkpoints predeploy/release-tag
	release_git checkout -q .
	chmod 644 "$RELEASE_DIR/.env"
	predeploy_is predeploy/secrets
	chmod 600 "$RELEASE_DIR/.env"
	sed -i 's/^PROMETHEUS_URL=.*/PROMETHEUS_URL=ChangeMe/' "$RELEASE_DIR/.env"
	predeploy_is predeploy/secrets
	! grep -rqi 'value-of-it\|changeme' "$OUT" "$REPORT" || fail "a value of .env was shown"
	make_release
	suites_config
	predeploy_is
}

preflight() {
	local before
	start_site
	CFG_ON_INTERRUPT=$'rollback\n  preflight: [ready]' CFG_EXTRA=$(
		cat <<-END
			suites:
			  ready:
			    - { name: flag, file: { path: $WORK/flag }, hint: put the flag up }
		END
	) write_config
	before=$(fingerprint "$UPSTREAM_CONF")
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	assert_status 2
	assert_error "preflight suite 'ready' is NO_GO: 'flag'"
	assert_error "put the flag up"
	assert_json "$REPORT" '.outcome == "aborted"'
	assert_unchanged "$before" "$(fingerprint "$UPSTREAM_CONF")" "NGINX's configuration"
	ctl deploy --version v0.2.0 --dry-run
	assert_status 2
	assert_output "would stop the rollout: preflight suite 'ready'"
	touch "$WORK/flag"
	ctl deploy --version v0.2.0 --dry-run
	assert_status 0
}

suites_begin suites
start_fresh
run_case all_go "every suite is GO on a healthy canary"
run_case gate_formats "the gate in JSON and JUnit, in the time of its slowest check"
run_case every_hint "every check of every suite says what to do"
run_case only_and_list "--only, --list, and names that are none"
run_case strict_and_no_go "WARNING, --strict, and what GitHub Actions is told"
run_case hanging_prometheus "a Prometheus that hangs is no pass, in under 30 s"
run_case hanging_others "an application, a program or a log that hangs holds no suite up"
run_case stopped "^C ends the checks and their programs"
run_case five_areas "predeploy finds what is wrong with a release, area by area"
run_case preflight "a suite of rollout.preflight that is not GO stops a rollout before it begins"
scenario_end
