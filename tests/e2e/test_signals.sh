#!/usr/bin/env bash
# SIGINT and SIGTERM: the safe stop that rollout.on_interrupt asks for, proven, and its exit code.
# Together with the other scenarios this covers every exit code of the contract.
. "$(dirname "$0")/lib.sh"

interrupt_with() { # SIGNAL
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	kill "-$1" "$(pid_of deploy)"
	ctl_wait 20
}

signal_rolls_back() { # SIGNAL EXIT_CODE
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s write_config
	interrupt_with "$1"
	assert_status "$2"
	assert_json "$REPORT" '.outcome == "rolled_back" or .outcome == "aborted"'
	assert_json "$REPORT" '.traffic | .canary_weight == 0 and .proven'
	weight_is 0 || fail "the proof says $(proof canary)"
	all_on_production
}

sigint() { signal_rolls_back INT 130; }
sigterm() { signal_rolls_back TERM 143; }

# Impatience does not skip the proof.
two_sigints() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s write_config
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	kill -INT "$(pid_of deploy)"
	kill -INT "$(pid_of deploy)" 2>/dev/null || :
	ctl_wait 20
	assert_status 130
	assert_json "$REPORT" '.traffic | .canary_weight == 0 and .proven'
	weight_is 0 || fail "the proof says $(proof canary)"
}

sigterm_with_hold() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s CFG_ON_INTERRUPT=hold write_config
	interrupt_with TERM
	assert_status 143
	assert_json "$REPORT" '.outcome == "held" and .traffic.canary_weight == 50 and .traffic.proven'
	weight_is 50 || fail "the proof says $(proof canary)"
	ctl rollback
	assert_status 0
	all_on_production
}

# A reader that goes away (| head) must not stop a rollout half way.
closed_stdout() {
	CFG_STAGES='[50]' CFG_CHECKS='checks: []' CFG_SHARE='' write_config
	rm -f "$REPORT"
	"$CANARYCTL" --config "$CONFIG" deploy --version v0.2.0 --yes --format json --output "$REPORT" \
		2>"$ERR" | head -n 1 >"$OUT"
	assert_json "$REPORT" '.outcome == "succeeded" and .traffic.proven'
	ctl rollback
	assert_status 0
}

# 3: the rollout cannot put the traffic back and there is no brake; the last line says what to run.
not_proven() {
	rm -f "$BRAKE"
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s CFG_BRAKE='' CFG_SETTLE_TIMEOUT=2s write_config
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	echo 'this is no directive;' >"$NGINX_PREFIX/conf.d/upstream-other.conf"
	kill -TERM "$(pid_of deploy)"
	ctl_wait 30
	rm "$NGINX_PREFIX/conf.d/upstream-other.conf"
	assert_status 3
	assert_json "$REPORT" '.outcome == "rollback_failed" and (.traffic.proven | not)'
	assert_match "$(tail -n 1 "$OUT")" 'canaryctl .*rollback' "the last line"
	ctl rollback
	assert_status 0
	all_on_production
}

scenario_begin signals
start_scene 2
run_case sigint 'SIGINT: rolled back, exit 130'
run_case sigterm 'SIGTERM: rolled back, exit 143'
run_case two_sigints 'a second SIGINT does not skip the proof'
run_case sigterm_with_hold 'SIGTERM with on_interrupt: hold'
run_case closed_stdout 'stdout closed by its reader'
run_case not_proven 'exit 3 when the traffic is not proven'
scenario_end
