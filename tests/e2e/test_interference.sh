#!/usr/bin/env bash
# Somebody else works on the same NGINX in the very middle of a shift, long connections stay, NGINX is not
# there, the clock jumps, names do not resolve, Prometheus breaks off in the middle of an answer. What
# canaryctl says must be what NGINX does, and no request of a client may fail because of it.
. "$(dirname "$0")/lib.sh"

# The reload that canaryctl runs, with what somebody else does just before and just after it.
make_reload() {
	cat >"$WORK/reload" <<-END
		#!/bin/sh
		[ ! -x "$WORK/before" ] || "$WORK/before"
		nginx -p "$NGINX_PREFIX/" -c "$NGINX_CONF" -s reload || exit
		[ ! -x "$WORK/after" ] || "$WORK/after"
	END
	chmod +x "$WORK/reload"
	RELOAD="[\"$WORK/reload\"]"
	THEIR_RELOAD="nginx -p '$NGINX_PREFIX/' -c '$NGINX_CONF' -s reload"
}

meanwhile() { # before|after SHELL_TEXT
	printf '#!/bin/sh\n%s\n' "$2" >"$WORK/$1.new"
	chmod +x "$WORK/$1.new"
	mv "$WORK/$1.new" "$WORK/$1"
}

nobody_meanwhile() {
	rm -f "$WORK/before" "$WORK/after"
}

plain_config() { # [SETTINGS...] before it, as for write_config
	CFG_STAGES=${CFG_STAGES:-[50, 100]} CFG_OBSERVE=${CFG_OBSERVE:-1500ms} CFG_CHECKS='' CFG_SHARE='' \
		CFG_RELOAD=$RELOAD write_config
}

# What the report calls proven is what NGINX does; so is what status says.
report_is_true() {
	if jq -e '.traffic.proven and (.traffic.braked | not)' "$REPORT" >/dev/null; then
		assert_equal "$(proof canary)" "$(jq .traffic.canary_weight "$REPORT")" 'the weight in force'
	fi
	ctl --format json status
	# With the brake on the canary gets nothing, whatever the weights say.
	assert_equal "$(jq .canary_weight "$OUT")" \
		"$(curl -fsS "http://127.0.0.1:$PROOF_PORT/" | jq 'if .braked then 0 else .canary end')" \
		'the weight of status'
}

back_to_zero() {
	nobody_meanwhile
	ctl rollback
	assert_status 0
	all_on_production
}

no_request_failed() {
	stop_load
	assert_json "$WORK/load.json" '.failed == 0'
}

# A whole rollout, with the load on, that nobody's reload may hold up.
succeeds() {
	plain_config
	start_load 100
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded" and .traffic.canary_weight == 100 and .traffic.proven'
	report_is_true
	no_request_failed
	back_to_zero
}

their_reload_before_ours() {
	meanwhile before "$THEIR_RELOAD"
	succeeds
}

their_reload_after_ours() {
	meanwhile after "$THEIR_RELOAD"
	succeeds
}

their_reload_on_both_sides() {
	meanwhile before "$THEIR_RELOAD; $THEIR_RELOAD"
	meanwhile after "$THEIR_RELOAD; $THEIR_RELOAD"
	succeeds
}

# Their reload brings another configuration: more workers than there were, then fewer.
their_changed_configuration() {
	meanwhile before "sed -i 's/^worker_processes .*/worker_processes 4;/' '$NGINX_CONF'; $THEIR_RELOAD"
	meanwhile after "sed -i 's/^worker_processes .*/worker_processes 2;/' '$NGINX_CONF'; $THEIR_RELOAD"
	succeeds
	nginx_conf_shipped 2 >"$NGINX_CONF"
	nginx_reload
}

# They put the file back that was there before, with our reload still to come: ours has changed nothing.
their_old_file() {
	plain_config
	meanwhile before "[ -e '$WORK/spoilt' ] || cp '$WORK/old.conf' '$UPSTREAM_CONF'; touch '$WORK/spoilt'"
	cp "$UPSTREAM_CONF" "$WORK/old.conf"
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	assert_status 2
	assert_json "$REPORT" '.reason.message | test("not proven|another generation|old weights")'
	assert_json "$REPORT" '.traffic.canary_weight == 0 and .traffic.proven'
	report_is_true
	back_to_zero
}

# They break their own part just after our reload: no further reload is possible, and the brake holds.
their_broken_configuration() {
	plain_config
	meanwhile after "echo 'this is no directive;' >'$NGINX_PREFIX/conf.d/upstream-other.conf'; $THEIR_RELOAD"
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	assert_status 2
	assert_json "$REPORT" '.traffic.braked and .traffic.canary_weight == 0'
	all_on_production
	report_is_true
	rm "$NGINX_PREFIX/conf.d/upstream-other.conf"
	back_to_zero
}

# They take our file out of their configuration: what is in force cannot be known any more.
their_configuration_without_ours() {
	CFG_OBSERVE=60s plain_config
	nobody_meanwhile
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 30 "the canary is at 50 %" weight_is 50
	cp "$NGINX_CONF" "$WORK/nginx.conf.kept"
	nginx_conf_plain 2 | sed "s|include .*|upstream app_backend { server 127.0.0.1:$PRODUCTION_PORT; }|" >"$NGINX_CONF"
	nginx_reload
	ctl_wait 60
	assert_status 3
	assert_equal "$(tail -n 1 "$ERR" | grep -c 'canaryctl rollback')" 1 'lines that say what to run'
	assert_json "$REPORT" '.traffic.proven | not'
	cp "$WORK/nginx.conf.kept" "$NGINX_CONF"
	nginx_reload
	back_to_zero
}

# Somebody who reloads without end. It may or may not come through; what it says is so.
a_storm_of_reloads() {
	plain_config
	start_load 100
	cat >"$WORK/storm" <<-END
		#!/bin/bash
		while :; do $THEIR_RELOAD; read -r -t 0.1 <> <(:); done
	END
	spawn storm bash "$WORK/storm"
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	stop storm
	if [ "$STATUS" -ne 0 ]; then
		assert_status 2
		assert_json "$REPORT" '.traffic.canary_weight == 0 and (.traffic.proven or .traffic.braked)'
	fi
	echo "        exit $STATUS"
	report_is_true
	back_to_zero
	no_request_failed
}

# --- long connections --------------------------------------------------------------------------------

old_workers_are() { # NUMBER
	[ "$("$CANARYCTL" --config "$CONFIG" --format json status | jq .draining_workers)" -ge "$1" ]
}

# A request whose body never comes keeps its worker: as a WebSocket, a stream or a slow upload does.
a_worker_that_stays() {
	CFG_OBSERVE=4s plain_config
	start_load 100 # before the connections: it must not inherit them
	exec 5<>"/dev/tcp/127.0.0.1/$HTTP_PORT"
	printf 'POST /api/generate HTTP/1.1\r\nHost: site\r\nContent-Length: 1000000\r\n\r\n{' >&5
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 30 "the canary is at 50 %" weight_is 50
	wait_until 10 "an old worker is counted" old_workers_are 1
	# One more, in a worker of the first stage.
	exec 6<>"/dev/tcp/127.0.0.1/$HTTP_PORT"
	printf 'POST /api/generate HTTP/1.1\r\nHost: site\r\nContent-Length: 1000000\r\n\r\n{' >&6
	wait_until 30 "the canary is at 100 %" weight_is 100
	wait_until 10 "both old workers are counted" old_workers_are 2
	ctl_wait 30
	assert_status 0
	assert_output '[12] old nginx workers? still serves? long connections'
	assert_json "$REPORT" '.outcome == "succeeded" and .traffic.proven'
	exec 5>&- 6>&-
	wait_until 20 "the old workers have gone" eval '! old_workers_are 1'
	no_request_failed
	back_to_zero
}

# --- NGINX that is not there -------------------------------------------------------------------------

says_not_running() { # STATUS
	assert_status "$1"
	cat "$OUT" "$ERR" >"$WORK/said"
	grep -Eq 'nginx is not running|no nginx is running' "$WORK/said" || fail "it says: $(cat "$WORK/said")"
	if grep -Eq 'PID number|No such process' "$WORK/said"; then
		fail "it quotes the reload command: $(cat "$WORK/said")"
	fi
}

nginx_is_stopped() {
	plain_config
	ctl weights set 50
	assert_status 0
	stop nginx
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	says_not_running 69
	ctl weights set 20
	says_not_running 69
	ctl rollback
	says_not_running 3
	assert_error "gives the canary 0 %, from nginx's next start on"
	assert_error 'start nginx'
	# The pid of nobody, as after a power cut.
	echo 4194303 >"$NGINX_PREFIX/nginx.pid"
	ctl rollback
	says_not_running 3
	start_nginx
	weight_is 0 || fail "started again, and the proof says $(proof canary)"
	back_to_zero
}

nginx_is_stopped_in_the_middle() {
	rm -f "$BRAKE"
	CFG_OBSERVE=60s CFG_BRAKE='' plain_config
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 30 "the canary is at 50 %" weight_is 50
	stop nginx
	ctl_wait 60
	says_not_running 3
	assert_equal "$(tail -n 1 "$ERR" | grep -c 'canaryctl rollback')" 1 'lines that say what to run'
	# Without a brake, and still the canary gets nothing of what comes after the start.
	start_nginx
	all_on_production
	back_to_zero
}

# --- the clock ---------------------------------------------------------------------------------------

with_clock() { # ARGUMENT...; as ctl
	rm -f "$REPORT"
	set +e
	LD_PRELOAD=$BUILD_DIR/tests/preload_clock.so CLOCK_OFFSET_FILE=$WORK/clock timeout 120 \
		"$CANARYCTL" --config "$CONFIG" "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
	set -e
}

# An hour forth in one shift and two back in the next; only monotonic time decides how long a stage is.
the_clock_jumps() {
	local began took
	echo 0 >"$WORK/clock"
	meanwhile before "read -r now <'$WORK/clock'; if [ \"\$now\" = 3600 ]; then echo -3600; else echo 3600; fi >'$WORK/clock.new'; mv '$WORK/clock.new' '$WORK/clock'"
	CFG_STAGES='[20, 50, 100]' CFG_OBSERVE=3s CFG_RELOAD=$RELOAD write_config
	start_load 300
	began=$(date +%s%3N)
	with_clock deploy --version v0.2.0 --yes --output "$REPORT"
	took=$(($(date +%s%3N) - began))
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded" and .traffic.proven'
	# It did jump; what is said of lengths knows nothing of it.
	assert_json "$REPORT" '[.stages[].shifted_at] | . != sort'
	assert_between "$took" 9000 60000 'milliseconds for three stages of 3 s'
	no_request_failed
	back_to_zero
}

# And a canary that turns bad while it jumps is found all the same.
the_clock_jumps_and_the_canary_fails() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=20s CFG_RELOAD=$RELOAD write_config
	echo -3600 >"$WORK/clock"
	start_load 300
	canary_fault error_rate=60%
	meanwhile after "echo 3600 >'$WORK/clock'"
	with_clock deploy --version v0.2.0 --yes --output "$REPORT"
	canary_fault reset
	stop_load
	assert_status 2
	assert_json "$REPORT" '.reason.check == "error-rate" and .traffic.canary_weight == 0 and .traffic.proven'
	back_to_zero
}

# --- names -------------------------------------------------------------------------------------------

with_dns() { # ARGUMENT...; as ctl
	set +e
	LD_PRELOAD=$BUILD_DIR/tests/preload_dns.so DNS_FAULT_FLAG=$WORK/dns-fails timeout 90 \
		"$CANARYCTL" --config "$CONFIG" "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
	set -e
}

# NAME is written for this host in the health page's URL, or in Prometheus'.
names_config() {
	CFG_PROMETHEUS=http://prometheus.test:$PROMETHEUS_PORT CFG_STAGES='[50]' CFG_SHARE='' CFG_OBSERVE=3s \
		CFG_RELOAD=$RELOAD write_config
	sed -i "s|health: \"http://127.0.0.1:$CANARY_PORT|health: \"http://canary.test:$CANARY_PORT|" "$CONFIG"
}

names_do_not_resolve() {
	local before
	nobody_meanwhile
	names_config
	before=$(sha256sum "$UPSTREAM_CONF")
	touch "$WORK/dns-fails"
	with_dns deploy --version v0.2.0 --yes
	assert_status 69
	assert_error 'prometheus.test'
	sed -i "s|url: http://prometheus.test|url: http://127.0.0.1|" "$CONFIG"
	with_dns deploy --version v0.2.0 --yes
	assert_status 69
	assert_error 'canary.test'
	assert_equal "$(sha256sum "$UPSTREAM_CONF")" "$before" 'the upstream file'
	# A rollback asks for no names.
	with_dns rollback
	assert_status 0
	rm "$WORK/dns-fails"
}

# In the middle it can only end well or at 0 %; and resolving again it works.
names_stop_resolving() {
	names_config
	start_load 300
	meanwhile after "touch '$WORK/dns-fails'"
	with_dns deploy --version v0.2.0 --yes --output "$REPORT"
	rm -f "$WORK/dns-fails"
	if [ "$STATUS" -ne 0 ]; then
		assert_status 2
		assert_json "$REPORT" '.traffic.canary_weight == 0 and .traffic.proven'
	fi
	echo "        exit $STATUS"
	nobody_meanwhile
	with_dns deploy --version v0.2.0 --yes --output "$REPORT"
	assert_status 0
	no_request_failed
	back_to_zero
}

# A server of the upstream that NGINX cannot resolve: its reload would fail.
upstream_does_not_resolve() {
	local before
	plain_config
	before=$(sha256sum "$UPSTREAM_CONF")
	sed -i "s|server: \"127.0.0.1:$CANARY_PORT\"|server: \"canary.invalid:8001\"|" "$CONFIG"
	ctl deploy --version v0.2.0 --yes --output "$REPORT"
	assert_status 2
	assert_output 'host not found in upstream "canary.invalid:8001" in line [0-9]+'
	assert_json "$REPORT" '.traffic.canary_weight == 0 and .traffic.proven'
	assert_equal "$(sha256sum "$UPSTREAM_CONF")" "$before" 'the upstream file'
}

# --- half an answer ----------------------------------------------------------------------------------

start_relay() {
	RELAY_PORT=$(free_port)
	rm -f "$WORK/relay-fault"
	spawn relay "$BUILD_DIR/tests/relay" "$RELAY_PORT" "$PROMETHEUS_PORT" "$WORK/relay-fault"
	wait_until 10 "the relay passes Prometheus on" curl -fsS -o /dev/null "http://127.0.0.1:$RELAY_PORT/-/ready"
}

relay_fault() { # KIND BYTES
	echo "$*" >"$WORK/relay-fault.new"
	mv "$WORK/relay-fault.new" "$WORK/relay-fault"
}

half_answers_before_the_start() {
	local kind bytes before
	before=$(sha256sum "$UPSTREAM_CONF")
	CFG_PROMETHEUS=http://127.0.0.1:$RELAY_PORT CFG_STAGES='[50]' write_config
	for kind in close hang; do
		# Nothing at all, half of a header, and a part of the body.
		for bytes in 0 40 150; do
			relay_fault "$kind" "$bytes"
			ctl deploy --version v0.2.0 --yes
			assert_status 69
			assert_error "Prometheus at http://127.0.0.1:$RELAY_PORT"
		done
	done
	assert_equal "$(sha256sum "$UPSTREAM_CONF")" "$before" 'the upstream file'
	rm "$WORK/relay-fault"
}

half_answers_in_the_middle() {
	local kind
	start_load 300
	for kind in close hang; do
		CFG_PROMETHEUS=http://127.0.0.1:$RELAY_PORT CFG_STAGES='[50]' CFG_OBSERVE=30s write_config
		ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
		wait_until 30 "the canary is at 50 %" weight_is 50
		relay_fault "$kind" 150
		ctl_wait 40
		rm "$WORK/relay-fault"
		assert_status 2
		assert_json "$REPORT" '.reason.message | test("Prometheus has not answered for")'
		assert_json "$REPORT" '.traffic.canary_weight == 0 and .traffic.proven'
	done
	no_request_failed
}

scenario_begin interference
start_scene 2
make_reload
start_relay
run_case their_reload_before_ours 'somebody reloads between our file and our reload'
run_case their_reload_after_ours 'somebody reloads between our reload and our proof'
run_case their_reload_on_both_sides 'twice on both sides'
run_case their_changed_configuration 'with another nginx.conf'
run_case their_old_file 'somebody puts the old file back before our reload'
run_case their_broken_configuration 'somebody breaks their part after our reload'
run_case their_configuration_without_ours 'somebody takes our file out'
run_case a_storm_of_reloads 'somebody reloads without end'
run_case a_worker_that_stays 'workers stay for long connections'
run_case nginx_is_stopped 'NGINX is not running'
run_case nginx_is_stopped_in_the_middle 'NGINX is stopped in the middle, without a brake'
run_case the_clock_jumps 'the clock jumps by an hour, forth and back'
run_case the_clock_jumps_and_the_canary_fails 'the clock jumps, and the canary is bad'
run_case names_do_not_resolve 'names do not resolve before the start'
run_case names_stop_resolving 'names stop resolving in the middle'
run_case upstream_does_not_resolve "NGINX cannot resolve the canary's name"
run_case half_answers_before_the_start 'half an answer of Prometheus before the start'
run_case half_answers_in_the_middle 'half an answer of Prometheus in a stage'
scenario_end
