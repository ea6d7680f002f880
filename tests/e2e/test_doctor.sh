#!/usr/bin/env bash
# The doctor on real servers: a healthy host is all GO, and each trap of the specification is built and
# found by the examination that is for it, with a remedy.
. "$(dirname "$0")/lib.sh"

doctor() { # ARGUMENT...
	ctl doctor --output "$REPORT" "$@"
}

# What that check says: STATUS, with a hint unless it is GO.
says() { # NAME STATUS [EXTENDED_REGEX]
	local check
	check=$(jq -c --arg name "$1" '.checks[] | select(.name == $name)' "$REPORT")
	[ -n "$check" ] || fail "there is no check '$1'"
	assert_equal "$(jq -r .status <<<"$check")" "$2" "status of $1 ($(jq -r .message <<<"$check"))"
	assert_match "$(jq -r .message <<<"$check")" "${3:-.}" "message of $1"
	[ "$2" = GO ] || [ -n "$(jq -r '.hint // ""' <<<"$check")" ] || fail "$1 has no hint"
}

# On a busy machine a scrape may come late, and a check has no data for a moment: looked at again.
finds() { # NAME STATUS [EXTENDED_REGEX]
	wait_until 30 "the doctor finds $1" looks_and_says "$@" || says "$@"
}

looks_and_says() {
	doctor
	says "$@"
}

# The names of all checks that are not GO.
not_go() {
	jq -r '.checks[] | select(.status != "GO") | .name' "$REPORT" | sort | tr '\n' ' '
}

enough_data() {
	ctl doctor --output "$REPORT"
	[ "$STATUS" -eq 0 ]
}

# One trap and no other finding: the check NAME says STATUS and all others are GO.
only_finds() { # NAME STATUS [EXTENDED_REGEX]
	wait_until 30 "the doctor finds $1 alone" finds_nothing_else "$@" ||
		{ says "$@" && assert_equal "$(not_go)" "$1 " "what is not GO"; }
}

finds_nothing_else() {
	looks_and_says "$@" && [ "$(not_go)" = "$1 " ]
}

# The doctor in a mount namespace of its own, after COMMAND (a shell's) has changed the mounts.
doctor_in_namespace() { # COMMAND
	set +e
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m sh -c 'eval "$0"; exec "$@"' "$1" \
		"$CANARYCTL" --config "$CONFIG" doctor --output "$REPORT" >"$OUT" 2>"$ERR"
	STATUS=$?
	set -e
}

may_unshare() {
	unshare -m true 2>/dev/null
}

# --- a healthy host --------------------------------------------------------------------------------

healthy() {
	local before
	before=$(fingerprint "$NGINX_PREFIX" "$WORK/run")
	wait_until 30 "all is GO" enough_data || fail "not GO: $(not_go) $(cat "$OUT")"
	assert_json "$REPORT" '.suite == "doctor" and .verdict == "GO" and (.checks | length) > 40'
	assert_output 'GO .*all are good'
	assert_unchanged "$before" "$(fingerprint "$NGINX_PREFIX" "$WORK/run")" "the host"
	[ ! -e "$STATE_DIR" ] || fail "a state folder was made"
}

like_other_suites() {
	ctl doctor --list
	assert_status 0
	assert_output '^  listen-ports  examination'
	assert_output '^  drain-timeout  examination  \(warning\)'
	assert_output '^  check-error-rate  examination'
	touch "$BRAKE"
	ctl doctor --only brake-off --junit "$WORK/doctor.xml"
	assert_status 1
	assert_output 'brake-off .*FAIL'
	assert_output 'do: run .canaryctl status'
	grep -q '<testsuite name="doctor" tests="1"' "$WORK/doctor.xml" || fail "no testsuite in JUnit"
	ctl doctor --only brake-off --strict
	assert_status 2
	ctl --format json doctor --only brake-off
	jq -e '.checks[0].status == "WARNING"' "$OUT" >/dev/null || fail "no JSON on stdout"
	rm "$BRAKE"
	ctl doctor --only no-such-check
	assert_status 64
}

# --- the site's configuration ----------------------------------------------------------------------

# A trap in nginx.conf: NGINX need not have taken it up yet, the next reload would.
site_trap() { # SED_SCRIPT NAME STATUS [EXTENDED_REGEX]
	local script=$1
	shift
	nginx_conf_shipped 2 | sed -e "$script" >"$NGINX_CONF"
	only_finds "$@"
}

site() {
	site_trap '/worker_shutdown_timeout/d' drain-timeout WARNING 'is not set'
	site_trap "s|listen 127.0.0.1:$HTTP_PORT;|& listen unix:$WORK/run/site.sock;|" \
		listen-unix WARNING 'outlives a killed nginx'
	site_trap 's|location / {|proxy_intercept_errors on; error_page 502 503 /sorry; &|' \
		error-pages WARNING 'proxy_intercept_errors is on'
	site_trap 's|location / {|error_page 500 502 =200 /sorry; &|' error-pages WARNING 'with 200'
	site_trap 's|open_file_cache off;|open_file_cache max=9; open_file_cache_errors on;|' \
		brake-cache NO_GO 'remembers that the brake is not there'
	site_trap '/if (-f/,/}/d' brake-heeded NO_GO 'nothing .* heeds the brake'
	site_trap 's|proxy_next_upstream error timeout;|proxy_next_upstream error http_500;|' \
		retries WARNING 'http_5xx'
	site_trap 's|include .*/upstream\*.conf;||' output-included NO_GO 'does not include'
	site_trap "s|http://\$canaryctl[a-z_]*|http://127.0.0.1:$PRODUCTION_PORT|" \
		pool-used NO_GO "no request is passed .*'app_backend', 'app_production'"
	site_trap "s|^worker_processes .*|worker_processes 1;|; s|127.0.0.1:$HTTP_PORT;|127.0.0.1:$HTTP_PORT reuseport;|" \
		reuseport WARNING '2 workers run where the configuration says 1'
	# The first trap of them all: test and reload exit 0, and nothing would be changed.
	site_trap "s|listen 127.0.0.1:$HTTP_PORT;|& listen $SQUATTED_PORT;|" \
		listen-ports NO_GO "'listen $SQUATTED_PORT' at .*nginx.conf:[0-9]* is held by another program"
	nginx -p "$NGINX_PREFIX/" -c "$NGINX_CONF" -t 2>/dev/null || fail "nginx -t sees it, which it did not"
	nginx_conf_shipped 2 >"$NGINX_CONF"
}

broken_include() {
	echo 'upstream broken {' >"$NGINX_PREFIX/conf.d/upstream-other.conf"
	finds nginx-test NO_GO 'upstream-other.conf:[0-9]'
	assert_status 2
	says drain-timeout WARNING 'did not show'
	rm "$NGINX_PREFIX/conf.d/upstream-other.conf"
	sed -i 's|keepalive 32;|& least_conn;|' "$UPSTREAM_CONF"
	only_finds nginx-warnings NO_GO 'load balancing method redefined'
	upstream_at_zero "$TEMPLATE" >"$UPSTREAM_CONF"
}

another_configuration() {
	cp "$NGINX_CONF" "$NGINX_PREFIX/copy.conf"
	sed -i "s|test: .*|test: [nginx, -p, \"$NGINX_PREFIX/\", -c, \"$NGINX_PREFIX/copy.conf\", -t]|" "$CONFIG"
	finds nginx-config NO_GO
	# With an answer at the proof address the master is known for certain.
	write_config
	ctl weights set 0
	assert_status 0
	sed -i "s|test: .*|test: [nginx, -p, \"$NGINX_PREFIX/\", -c, \"$NGINX_PREFIX/copy.conf\", -t]|" "$CONFIG"
	only_finds nginx-config NO_GO "master runs with -c '.*nginx.conf', but .* uses -c '.*copy.conf'"
	write_config
}

another_user() {
	[ "$UID" -eq 0 ] || return 0
	install -m 755 "$CANARYCTL" "$WORK/canaryctl"
	set +e
	setpriv --reuid 65534 --regid 65534 --clear-groups "$WORK/canaryctl" --config "$CONFIG" \
		--format json doctor >"$REPORT" 2>"$ERR"
	set -e
	says nginx-user WARNING 'the master runs as user 0, but canaryctl is user 65534'
	says state-folder NO_GO
	says brake-file NO_GO 'not writable'
	says listen-ports WARNING
}

draining() {
	curl -fsS "http://127.0.0.1:$PRODUCTION_PORT/admin/fault" -d '{"name":"sleep_ms","value":"60000"}' >/dev/null
	spawn slow curl -s "$SITE/api/generate" -d '{}'
	wait_until 30 "a request is on its way" in_flight
	nginx_reload
	wait_until 30 "an old worker is found" doctor_warns old-workers
	says old-workers WARNING '1 old worker still serves long connections'
	stop slow
	curl -fsS "http://127.0.0.1:$PRODUCTION_PORT/admin/fault" -d '{"name":"sleep_ms","value":"0"}' >/dev/null
	wait_until 30 "the old worker has left" enough_data
}

in_flight() {
	[ "$(curl -fsS "http://127.0.0.1:$STATUS_PORT/nginx_status" | sed -n 's/.*Writing: \([0-9]*\).*/\1/p')" -ge 2 ]
}

doctor_warns() { # NAME
	doctor
	[[ $(not_go) == *"$1 "* ]]
}

# --- the template ----------------------------------------------------------------------------------

template_trap() { # SED_SCRIPT NAME STATUS [EXTENDED_REGEX]
	local script=$1
	shift
	sed -e "$script" "$TEMPLATE" >"$WORK/trap.template"
	only_finds "$@"
}

templates() {
	CFG_TEMPLATE=$WORK/trap.template
	cp "$TEMPLATE" "$CFG_TEMPLATE"
	write_config
	template_trap '/zone app_backend/d' upstream-zone NO_GO "'app_backend' has no zone: each of 2 workers"
	template_trap 's| max_fails=0;|;|' max-fails NO_GO "'app_backend' has no max_fails=0"
	template_trap 's|zone app_backend 64k;|& least_conn;|' balancing WARNING "'app_backend' \(least_conn\)"
	template_trap 's|weight=.{CANARY_WEIGHT}|& max_conns=9|' balancing WARNING 'max_conns'
	sed -e 's|zone app_backend 64k;|& nonsense on;|' "$TEMPLATE" >"$CFG_TEMPLATE"
	finds template NO_GO 'unknown directive'
	says server-names WARNING
	sed -e '/CANARY_WEIGHT/d' "$TEMPLATE" >"$CFG_TEMPLATE"
	finds template NO_GO
	says upstream-zone WARNING 'does not render'
	sed -e 's|keepalive 32;|& ip_hash;|' "$TEMPLATE" >"$CFG_TEMPLATE"
	finds keepalive-order WARNING "'app_backend'"
	says template NO_GO 'warns'
	# As on a host whose upstream is still written by hand, before its first rollout.
	echo 'upstream by_hand { server 127.0.0.1:1; }' >"$NGINX_PREFIX/conf.d/upstream-by-hand.conf"
	sed -e 's|app_backend|by_hand|g' "$TEMPLATE" >"$CFG_TEMPLATE"
	finds upstream-names NO_GO "'upstream by_hand' is also at .*/upstream-by-hand.conf:1"
	rm "$NGINX_PREFIX/conf.d/upstream-by-hand.conf"
	CFG_TEMPLATE=$REPO/nginx/conf.d/split.conf.template write_config
	wait_until 30 "all is GO with the other template" enough_data || fail "not GO: $(not_go)"
	unset CFG_TEMPLATE
	sed -i 's|"127.0.0.1:'"$CANARY_PORT"'", health|"nowhere.invalid:1", health|' "$CONFIG"
	finds server-names NO_GO 'host not found in upstream "nowhere.invalid:1"'
	says template NO_GO
	CFG_SHARE='' write_config
	only_finds retries WARNING "'app_backend' hides a dead canary"
	sed -i 's|proxy_next_upstream error timeout;|proxy_next_upstream error http_500;|' "$NGINX_CONF"
	only_finds retries NO_GO 'http_5xx'
	nginx_conf_shipped 2 >"$NGINX_CONF"
	write_config
}

# --- the proof, the brake, the output --------------------------------------------------------------

proof_and_brake() {
	sed -i "s|127.0.0.1:$PROOF_PORT|127.0.0.1:$SQUATTED_PORT|" "$CONFIG"
	finds proof-address NO_GO 'held by something that is not nginx'
	write_config
	ctl weights set 0
	assert_status 0
	finds proof-address GO '0 % canary in force'
	says brake-off GO 'the next rollout removes it'
	wait_until 30 "all is GO" enough_data || fail "not GO: $(not_go)"
	sed -i 's|"generation":"[^"]*"|"generation":"by-hand/00000000"|' "$UPSTREAM_CONF"
	only_finds proof-address WARNING 'not what is in force'
	ctl weights set 5
	touch "$BRAKE"
	only_finds brake-off WARNING 'it alone sends everything to production'
	ctl weights set 0
	CFG_BRAKE='' write_config
	only_finds brake-heeded WARNING 'is not set'
	write_config
	[ "$UID" -eq 0 ] || return 0
	chmod 700 "$WORK/run"
	only_finds brake-file NO_GO "workers \(user [0-9]*\) cannot pass '$WORK/run'"
	chmod 755 "$WORK/run"
}

mounts() {
	may_unshare || { echo "no mount namespaces here: not tried" && return 0; }
	doctor_in_namespace "mount --bind $UPSTREAM_CONF $UPSTREAM_CONF"
	says output-mount NO_GO 'mounted as a single file'
	mkdir -p "$STATE_DIR"
	doctor_in_namespace "mount -t tmpfs -o size=1m none $STATE_DIR"
	says disk-space NO_GO 'MiB left'
	doctor_in_namespace 'mount -t tmpfs none /run && mkdir -p /run/systemd/system'
	says recover-at-boot WARNING 'no canaryctl-recover unit'
}

# --- Prometheus ------------------------------------------------------------------------------------

check_trap() { # CHECK_YAML NAME STATUS [EXTENDED_REGEX]
	CFG_CHECKS="checks: [ $1 ]" write_config
	shift
	finds "$@"
}

queries() {
	local of='http_requests_total{version=\"canary\"' up='up{version=\"canary\"}'
	check_trap "{ name: q, require: '< 1', prometheus: { query: \"sum(rate($of}[500ms]))\" } }" \
		ranges WARNING "'q' has a range of 500ms, less than 4 scrapes \(1s\)"
	check_trap "{ name: q, require: '< 1', prometheus: { query: \"sum($up\" } }" check-q NO_GO 'parse'
	check_trap "{ name: q, require: '< 1', prometheus: { query: \"sum(up) or on(nobody) {\" } }" check-q NO_GO
	check_trap "{ name: q, require: '< 1', prometheus: { query: \"up{version=\\\"nobody\\\"}\" } }" \
		check-q WARNING 'no data now \(no series\)'
	check_trap "{ name: q, require: '< 1%', min_samples: 900000000, ratio: { of: \"$of,status=~\\\"5..\\\"}\", over: \"$of}\" } }" \
		check-q WARNING 'no data now \(too few samples\)'
	check_trap "{ name: q, require: '< 1', prometheus: { query: \"$up\" } }" check-q WARNING 'has data, and fails now'
	check_trap "{ name: q, require: '< 2', prometheus: { query: \"$up\" } }" check-q GO
	check_trap "{ name: q, compare: { bad: 'http_requests_total{status=~\"5..\"}', total: 'http_requests_total',
		canary: 'version=\"canary\"', baseline: 'version=\"nobody\"' } }" check-q WARNING 'no data now'
	curl -fsS "$SITE/api/generate" -d '{}' >/dev/null # production has counters, too
	check_trap "{ name: q, compare: { bad: 'http_requests_total{status=~\"5..\"}', total: 'http_requests_total',
		canary: 'version=\"canary\"', baseline: 'version=\"production\"' } }" check-q GO
	write_config
}

intervals() {
	sed -i 's|scrape_interval: 250ms|scrape_interval: 200ms|' "$CONFIG"
	only_finds scrape-interval NO_GO 'scrapes every 250ms, .* says 200ms'
	sed -i 's|scrape_interval: 200ms|scrape_interval: 100ms|; s|settle: 1s|settle: 400ms|' "$CONFIG"
	finds settle NO_GO 'less than 4 scrapes of 250ms'
	CFG_OBSERVE=1500ms write_config
	only_finds settle WARNING 'leaves less than 4 scrapes'
	write_config
	sed -i "/^canary:/s|$CANARY_PORT|$SQUATTED_PORT|g; s|canary: 'version=\"canary\"'|canary: 'version=\"nobody\"'|" "$CONFIG"
	only_finds arms-scraped NO_GO 'no scrape target of the canary'
	write_config
}

# What the real Prometheus cannot be made to show: an NGINX before it answers for it.
answers() {
	local port
	port=$(free_port)
	mkdir -p "$WORK/front"
	cat >"$WORK/front/nginx.conf" <<-END
		pid $WORK/front/pid;
		error_log $WORK/front/error.log;
		events { }
		http {
			$(nginx_temp_paths | sed "s|$NGINX_PREFIX/tmp|$WORK/front|g")
			access_log off;
			default_type application/json;
			server {
				listen 127.0.0.1:$port;
				location / { rewrite ^/[a-z]+(/.*) \$1 break; proxy_pass $PROMETHEUS; }
				location = /past/api/v1/query {
					return 200 '{"status":"success","data":{"resultType":"scalar","result":[1700000000,"1700000000"]}}';
				}
				location = /partial/api/v1/query {
					if (\$arg_query != "time%28%29") {
						return 200 '{"status":"success","warnings":["a store is away"],"data":{"resultType":"vector","result":[]}}';
					}
					rewrite ^/[a-z]+(/.*) \$1 break;
					proxy_pass $PROMETHEUS;
				}
				location = /untold/api/v1/targets { return 404; }
			}
		}
	END
	spawn front nginx -p "$WORK/front/" -c "$WORK/front/nginx.conf" -g 'daemon off;'
	wait_until 10 "the front listens" port_open "$port"
	CFG_PROMETHEUS=http://127.0.0.1:$port/past write_config
	finds clock NO_GO 's behind of this host|behind'
	CFG_PROMETHEUS=http://127.0.0.1:$port/partial write_config
	finds partial-answers WARNING 'a store is away'
	says check-rl-loss WARNING 'a partial answer'
	CFG_PROMETHEUS=http://127.0.0.1:$port/untold write_config
	finds arms-scraped WARNING 'does not list its targets'
	says scrape-interval WARNING
	stop front
	finds prometheus NO_GO 'cannot be reached'
	says clock WARNING
	says check-error-rate WARNING
	write_config
}

hanging() {
	local began=$SECONDS
	kill -STOP "$(pid_of prometheus)"
	doctor
	kill -CONT "$(pid_of prometheus)"
	[ $((SECONDS - began)) -lt 30 ] || fail "it took $((SECONDS - began)) s"
	says prometheus NO_GO 'did not answer within'
	says check-error-rate WARNING
	says proof-address GO
}

stopped() {
	local pid
	printf '%s\n' '#!/bin/sh' "echo \$\$ >$WORK/slow.pid" 'exec sleep 60' >"$WORK/slow-test"
	chmod +x "$WORK/slow-test"
	CFG_TEST="[$WORK/slow-test, -c, \"$NGINX_CONF\", -t]" write_config
	ctl_start doctor
	wait_until 30 "nginx's test runs" test -s "$WORK/slow.pid"
	pid=$(cat "$WORK/slow.pid")
	kill -INT "$(pid_of deploy)"
	ctl_wait 30
	assert_status 130
	! kill -0 "$pid" 2>/dev/null || fail "nginx's test goes on"
	[ ! -s "$OUT" ] || fail "half a report was printed"
	write_config
}

# --- the host --------------------------------------------------------------------------------------

host() {
	CFG_EXTRA="hooks: { on_rollback: [$WORK/no-such-hook] }" write_config
	only_finds programs NO_GO "hooks.on_rollback: there is no program"
	write_config
	sed -i "s|http://127.0.0.1:$PRODUCTION_PORT/health|http://127.0.0.1:$PRODUCTION_PORT/nowhere|" "$CONFIG"
	only_finds production-health NO_GO 'status 404'
	write_config
	mkdir -p "$STATE_DIR/fragrance-ai"
	chmod 777 "$STATE_DIR/fragrance-ai"
	only_finds state-folder NO_GO 'writable by others'
	chmod 750 "$STATE_DIR/fragrance-ai"
	only_finds state-folder WARNING 'open to others \(mode 0750\)'
	chmod 700 "$STATE_DIR/fragrance-ai"
	canary_fault unhealthy=1
	finds canary-health NO_GO
	canary_fault unhealthy=0
}

interrupted() {
	CFG_OBSERVE=120s write_config
	ctl_start deploy --version v0.2.0 --yes
	wait_until 60 "the first stage is in force" weight_is 5
	finds no-rollout WARNING 'is running \(process [0-9]'
	stop_guardians
	stop deploy KILL
	finds no-rollout NO_GO 'was interrupted'
	ctl recover
	doctor
	says no-rollout GO
	write_config
}

nothing_runs() {
	stop canary
	wait_until 30 "the canary's target is down" doctor_warns arms-scraped
	says arms-scraped NO_GO 'is down'
	says canary-health NO_GO 'does not answer'
	says check-error-rate WARNING 'a scrape is down|no data'
	stop nginx
	finds nginx-running NO_GO 'no nginx is running here|with another configuration'
	says proof-address NO_GO 'nobody answers'
	says nginx-test WARNING 'not run'
	says old-workers WARNING
	says brake-file WARNING
	[ ! -e "$NGINX_PREFIX/nginx.pid" ] || fail "nginx -t was run, and made a pid file"
}

scenario_begin doctor
SQUATTED_PORT=$(free_port)
start_scene
write_config
spawn load "$BUILD_DIR/tests/loadgen" --url "http://127.0.0.1:$CANARY_PORT/api/generate" --rate 200 \
	--duration 600 --mode-mix 40,30,30 --out "$WORK/load.json"
spawn squatter "$BUILD_DIR/refapp" --role canary --port "$SQUATTED_PORT" --version v9.9.9
wait_until 10 "somebody sits on a port" port_open "$SQUATTED_PORT"
wait_until 60 "every check has data" enough_data || :
run_case healthy 'a healthy host is all GO, and is left as it was'
run_case like_other_suites '--list, --only, --strict, --junit and --format json'
run_case site 'traps in the site: each is found, and nothing else'
run_case broken_include 'a broken include, and a warning about our file'
run_case templates 'traps in the template'
run_case proof_and_brake 'the proof address and the brake'
run_case another_configuration 'another configuration is tested than the one that runs'
run_case another_user 'another user than the master'
run_case draining 'old workers that still serve'
run_case mounts 'a file that is mounted alone, a full disk, no unit for the time after a reboot'
run_case queries 'queries that cannot work, find nothing, or look at too little'
run_case intervals 'scrape interval, settle, and who is scraped'
run_case answers 'clocks apart, partial answers, no list of targets, no Prometheus'
run_case hanging 'a Prometheus that hangs'
run_case stopped '^C ends the look, and what it started'
run_case host 'programs, health and the state folder'
run_case interrupted 'a rollout that runs, and one that was interrupted'
run_case nothing_runs 'nothing runs'
scenario_end
