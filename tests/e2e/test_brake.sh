#!/usr/bin/env bash
# The brake: when NGINX cannot be reloaded, a file sends every request to production all the same, and
# canaryctl says that it is only the brake that holds.
. "$(dirname "$0")/lib.sh"

break_nginx() {
	echo 'this is no directive;' >"$NGINX_PREFIX/conf.d/upstream-other.conf"
}

mend_nginx() {
	rm -f "$NGINX_PREFIX/conf.d/upstream-other.conf"
}

rollback_when_no_reload_is_possible() {
	write_config
	ctl weights set 100
	assert_status 0
	assert_equal "$(canary_hits 20)" 20 "requests on the canary before"
	break_nginx
	ctl rollback --reason 'the canary misbehaves'
	assert_status 1
	assert_error "brake"
	assert_error "other\\.conf"
	[ -e "$BRAKE" ] || fail "no brake file at $BRAKE"
	assert_equal "$(proof braked)" true "what the proof address says of the brake"
	all_on_production
}

# A rollback leaves the brake on; whoever next sends traffic to the canary releases it, at 0 %.
the_brake_goes_with_the_next_weight() {
	mend_nginx
	ctl rollback
	assert_status 0
	weight_is 0 || fail "the proof says $(proof canary)"
	[ -e "$BRAKE" ] || fail "the brake is off"
	all_on_production
	ctl weights set 100
	assert_status 0
	[ ! -e "$BRAKE" ] || fail "the brake is still on"
	assert_equal "$(canary_hits 20)" 20 "requests on the canary"
}

weights_zero_is_the_same_brake() {
	write_config
	ctl weights set 100
	assert_status 0
	break_nginx
	ctl weights set 0
	mend_nginx
	assert_status 1
	all_on_production
	ctl rollback
	assert_status 0
	weight_is 0 || fail "the proof says $(proof canary)"
}

without_a_brake_it_is_a_page() {
	rm -f "$BRAKE"
	CFG_BRAKE='' write_config
	ctl weights set 100
	assert_status 0
	break_nginx
	ctl rollback
	mend_nginx
	assert_status 3
	assert_error "canaryctl rollback"
	ctl rollback
	assert_status 0
	all_on_production
}

# NGINX is braked by a file that this configuration does not know: nothing to remove, so say it.
a_brake_that_the_configuration_does_not_know() {
	write_config
	ctl weights set 50
	assert_status 0
	ctl rollback
	assert_status 0
	CFG_BRAKE='' write_config
	ctl weights set 50
	assert_status 2
	assert_error "traffic.nginx.brake"
	all_on_production
	write_config
	ctl weights set 0
	assert_status 0
}

with_nginx_gone() {
	write_config
	ctl weights set 50
	assert_status 0
	stop nginx
	ctl rollback
	[ "$STATUS" -eq 3 ] || [ "$STATUS" -eq 69 ] || [ "$STATUS" -eq 1 ] || fail "exit code $STATUS"
	rm -f "$BRAKE"
	start_nginx
	ctl rollback
	assert_status 0
	all_on_production
}

# Found out before the first shift, not when it is needed.
a_brake_that_nothing_heeds() {
	stop nginx
	nginx_conf_plain 1 >"$NGINX_CONF"
	start_nginx
	CFG_STAGES='[50]' CFG_OBSERVE=1s CFG_CHECKS='' CFG_SHARE='' write_config
	ctl deploy --version v0.2.0 --yes
	assert_status 0
	assert_output "nothing in nginx's configuration heeds the brake"
	ctl rollback
	assert_status 0
}

scenario_begin brake
start_refapp production v0.1.0
start_canary
start_site 2
run_case rollback_when_no_reload_is_possible 'rollback when a reload is impossible'
run_case the_brake_goes_with_the_next_weight 'the brake is released by the next weight'
run_case weights_zero_is_the_same_brake 'weights set 0 when a reload is impossible'
run_case without_a_brake_it_is_a_page 'the same without a brake: exit 3 and the command to run'
run_case a_brake_that_the_configuration_does_not_know 'a brake that the configuration does not know'
run_case with_nginx_gone 'rollback while NGINX is not running'
run_case a_brake_that_nothing_heeds 'a brake that no configuration of NGINX heeds'
scenario_end
