#!/usr/bin/env bash
# Somebody changes the weights behind a running rollout's back, or while it is stopped: it must notice
# before it does anything else, and put the canary to 0 %.
. "$(dirname "$0")/lib.sh"

start_rollout() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s CFG_CHECKS='' CFG_SHARE='' write_config
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
}

# With a state folder of its own the lock does not stop it: as editing the file by hand would not.
change_by_hand() { # WEIGHT
	CFG_FILE=$WORK/other.yaml CFG_STATE_DIR=$WORK/other-state CFG_CHECKS='' CFG_SHARE='' write_config
	"$CANARYCTL" --config "$WORK/other.yaml" weights set "$1" >/dev/null 2>"$WORK/by-hand.err"
}

ends_at_zero() { # MESSAGE
	ctl_wait 20
	assert_status 2
	assert_json "$REPORT" ".reason.message | test(\"$1\")"
	assert_json "$REPORT" '.outcome == "rolled_back" and .traffic.canary_weight == 0 and .traffic.proven'
	all_on_production
}

weights_changed_by_hand() {
	start_rollout
	change_by_hand 80
	ends_at_zero 'somebody else changed'
}

brake_set_by_hand() {
	start_rollout
	touch "$BRAKE"
	ends_at_zero 'somebody set the brake'
}

changed_while_stopped() {
	start_rollout
	kill -STOP "$(pid_of deploy)"
	change_by_hand 90
	kill -CONT "$(pid_of deploy)"
	ends_at_zero 'somebody else changed'
}

# A reload by somebody else that changes nothing of ours is no reason to stop.
reloaded_by_somebody_else() {
	CFG_STAGES='[50]' CFG_CHECKS='' CFG_SHARE='' write_config
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	nginx -p "$NGINX_PREFIX/" -c "$NGINX_CONF" -s reload
	ctl_wait 20
	assert_status 0
}

scenario_begin drift
start_refapp production v0.1.0
start_canary
start_site 2
run_case weights_changed_by_hand 'the weights are changed by hand'
run_case brake_set_by_hand 'the brake is set by hand'
run_case changed_while_stopped 'the weights are changed while it is stopped (SIGSTOP)'
run_case reloaded_by_somebody_else 'NGINX is reloaded by somebody else'
scenario_end
