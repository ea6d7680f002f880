#!/usr/bin/env bash
# Shifts that cannot be: each is noticed, undone, and the weights before it are proven again.
. "$(dirname "$0")/lib.sh"

# Each case starts from a proven 0 % and ends there.
at_zero() {
	write_config
	ctl weights set 0
	assert_status 0
	UPSTREAM_BEFORE=$(sha256sum <"$UPSTREAM_CONF")
}

assert_old_weights_in_force() {
	assert_equal "$(sha256sum <"$UPSTREAM_CONF")" "$UPSTREAM_BEFORE" "the checksum of upstream.conf"
	weight_is 0 || fail "the proof address answers with $(proof canary), expected 0"
	all_on_production
	[ -z "$(find "$NGINX_PREFIX/conf.d" -mindepth 1 ! -name upstream.conf)" ] ||
		fail "left behind: $(ls -A "$NGINX_PREFIX/conf.d")"
}

somebody_elses_file() {
	at_zero
	echo 'this is no directive;' >"$NGINX_PREFIX/conf.d/upstream-other.conf"
	ctl weights set 25
	rm "$NGINX_PREFIX/conf.d/upstream-other.conf"
	assert_status 2
	assert_error "other\\.conf"
	assert_old_weights_in_force
}

reload_that_does_nothing() {
	at_zero
	CFG_RELOAD='["true"]' CFG_SETTLE_TIMEOUT=2s write_config
	ctl weights set 25
	assert_status 2
	assert_error "old weights"
	assert_old_weights_in_force
}

reload_that_fails() {
	at_zero
	CFG_RELOAD='["false"]' CFG_SETTLE_TIMEOUT=2s write_config
	ctl weights set 25
	assert_status 2
	assert_old_weights_in_force
}

# nginx -t and nginx -s reload both exit 0; the old workers go on with the old weights.
listen_port_taken() {
	local port
	at_zero
	port=$(free_port)
	spawn squatter "$BUILD_DIR/refapp" --role canary --port "$port" --version v9.9.9
	wait_until 5 "the port is taken" port_open "$port"
	printf 'server { listen 127.0.0.1:%s; access_log off; }\n' "$port" >"$NGINX_PREFIX/conf.d/upstream-taken.conf"
	nginx -p "$NGINX_PREFIX/" -c "$NGINX_CONF" -t 2>/dev/null || fail "nginx -t sees the taken port"
	CFG_SETTLE_TIMEOUT=8s write_config
	ctl weights set 25
	rm "$NGINX_PREFIX/conf.d/upstream-taken.conf"
	stop squatter
	assert_status 2
	assert_error "bind|$port"
	write_config
	ctl weights set 0
	assert_status 0
	all_on_production
}

proof_port_taken() {
	local before after
	at_zero
	PROOF_PORT=$CANARY_PORT write_config
	before=$(fingerprint "$NGINX_PREFIX")
	ctl weights set 25
	after=$(fingerprint "$NGINX_PREFIX")
	assert_status 69
	assert_error "$CANARY_PORT"
	assert_unchanged "$before" "$after" "NGINX's folder"
}

template_without_a_server() {
	local template=$WORK/empty.template
	at_zero
	cat >"$template" <<-'END'
		upstream app_backend {
		    zone app_backend 64k;
		    server ${PRODUCTION_SERVER} weight=${PRODUCTION_WEIGHT} down;
		    server ${CANARY_SERVER} weight=${CANARY_WEIGHT} down;
		}
	END
	CFG_TEMPLATE=$template write_config
	ctl weights set 25
	assert_status 78
	assert_error "no server"
	assert_old_weights_in_force
}

template_that_is_missing() {
	at_zero
	CFG_TEMPLATE=$WORK/missing.template write_config
	ctl weights set 25
	assert_status 78
	assert_error "missing\\.template"
	assert_old_weights_in_force
}

# The rollout meets the broken include at its second shift: it ends, and the brake holds the traffic.
broken_include_during_a_rollout() {
	write_config
	ctl weights set 0
	CFG_STAGES='[50, 100]' CFG_CHECKS='checks: []' write_config
	start_load
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	echo 'this is no directive;' >"$NGINX_PREFIX/conf.d/upstream-other.conf"
	ctl_wait 30
	stop_load
	all_on_production
	rm "$NGINX_PREFIX/conf.d/upstream-other.conf"
	[ "$STATUS" -ne 0 ] || fail "the rollout succeeded"
	assert_json "$REPORT" '.reason.message | test("other.conf")'
	assert_json "$WORK/load.json" '.failed == 0'
	ctl rollback
	assert_status 0
}

nginx_not_running() {
	at_zero
	stop nginx
	ctl deploy --version v0.2.0 --yes
	start_nginx
	assert_status 69
	assert_error "nginx"
	assert_old_weights_in_force
}

scenario_begin shift-failures
start_scene 2
run_case somebody_elses_file "nginx -t fails because of somebody else's file"
run_case reload_that_does_nothing 'a reload that exits 0 and changes nothing'
run_case reload_that_fails 'a reload that exits 1'
run_case listen_port_taken 'a listen port that is taken: test and reload exit 0, nothing changes'
run_case proof_port_taken 'the proof port belongs to somebody else'
run_case template_without_a_server 'a template that leaves no server'
run_case template_that_is_missing 'a template that does not exist'
run_case nginx_not_running 'deploy while NGINX is not running'
run_case broken_include_during_a_rollout 'an include that breaks during a rollout'
scenario_end
