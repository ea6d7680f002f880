#!/usr/bin/env bash
# The bad moments: somebody else changes NGINX under a rollout, two people act at once, a command is
# interrupted in the middle, the state belongs to another user. The traffic is never left unknown.
. "$(dirname "$0")/lib.sh"

start_rollout() { # STAGES OBSERVE
	CFG_STAGES=$1 CFG_OBSERVE=$2 CFG_CHECKS=${CFG_CHECKS-'checks: []'} CFG_SHARE='' write_config
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	wait_until 5 "the stage is observed" observing
}

observing() {
	"$CANARYCTL" --config "$CONFIG" status --format json | jq -e '.phase == "observing"'
}

never_at() { # WEIGHT
	! grep -q "\"event\":\"shifted\".*\"weight\":$1[,}]" "$OUT" || fail "it was shifted to $1 %"
}

# Somebody's configuration management puts another file there, and reloads.
change_by_hand() {
	upstream_at_zero "$TEMPLATE" >"$UPSTREAM_CONF"
	sed -i 's/"generation":"[^"]*"/"generation":"by-hand"/' "$UPSTREAM_CONF"
	nginx_reload
}

# A command that waits in the middle until the test lets it go on.
waiting_program() { # NAME COMMAND
	cat >"$WORK/$1" <<-END
		#!/bin/sh
		touch "$WORK/$1.began"
		while [ ! -e "$WORK/$1.go" ]; do sleep 0.05; done
		exec $2
	END
	chmod +x "$WORK/$1"
	rm -f "$WORK/$1.began" "$WORK/$1.go"
}

interrupted_in_a_stage_hook() {
	waiting_program hook true
	CFG_EXTRA="hooks: { after_stage: [$WORK/hook] }" start_rollout '[50, 100]' 2s
	wait_until 15 "the hook runs" test -e "$WORK/hook.began"
	kill -TERM "$(pid_of deploy)"
	touch "$WORK/hook.go"
	ctl_wait 15
	assert_status 143
	never_at 100
	assert_json "$REPORT" '.outcome == "rolled_back" and .traffic.canary_weight == 0'
}

interrupted_in_the_last_stage_hook() {
	waiting_program hook true
	CFG_EXTRA="hooks: { after_stage: [$WORK/hook] }" start_rollout '[50]' 2s
	wait_until 15 "the hook runs" test -e "$WORK/hook.began"
	kill -TERM "$(pid_of deploy)"
	touch "$WORK/hook.go"
	ctl_wait 15
	assert_status 143
	assert_json "$REPORT" '.outcome == "rolled_back" and .traffic.canary_weight == 0'
}

changed_by_hand_between_stages() {
	start_rollout '[50, 100]' 4s
	change_by_hand
	ctl_wait 20
	never_at 100
	assert_status 2
	assert_json "$REPORT" '.outcome == "rolled_back" and .traffic.proven'
	assert_json "$REPORT" '.reason.message | test("no longer proven")'
}

changed_by_hand_in_the_last_stage() {
	start_rollout '[50]' 4s
	change_by_hand
	ctl_wait 20
	[ "$STATUS" -ne 0 ] || fail "a success is claimed at $(jq -c .traffic "$REPORT")"
	ctl rollback
	assert_status 0
}

slow_reload() { # writes a configuration whose reload waits
	waiting_program reload "nginx -p '$NGINX_PREFIX/' -c '$NGINX_CONF' -s reload"
	CFG_RELOAD="[$WORK/reload]" write_config
}

two_rollbacks_at_once() {
	write_config
	ctl weights set 50
	assert_status 0
	slow_reload
	ctl_start rollback
	wait_until 10 "the first reloads" test -e "$WORK/reload.began"
	"$CANARYCTL" --config "$CONFIG" rollback >"$WORK/second.out" 2>"$WORK/second.err" </dev/null &
	echo $! >"$WORK/pids/second"
	pause_ms 500
	touch "$WORK/reload.go"
	ctl_wait 20
	assert_status 0
	wait_until 20 "the second has ended" is_gone second
	wait "$(pid_of second)" || fail "the second: exit $?"
	rm "$WORK/pids/second"
	all_on_production
}

interrupted_by_hand() { # COMMAND...
	write_config
	ctl weights set 20
	assert_status 0
	slow_reload
	ctl_start "$@"
	wait_until 10 "it reloads" test -e "$WORK/reload.began"
	kill -TERM "$(pid_of deploy)"
	kill -HUP "$(pid_of deploy)"
	touch "$WORK/reload.go"
	ctl_wait 20
	assert_status 0
	ctl weights get
	assert_status 0
}

interrupted_rollback() {
	interrupted_by_hand rollback
	weight_is 0
}

interrupted_weights() {
	interrupted_by_hand weights set 50
	weight_is 50
}

state_of_another_user() {
	[ "$(id -u)" -eq 0 ] || return 0
	start_rollout '[50, 100]' 60s
	chown -R nobody "$STATE_DIR/fragrance-ai"
	trap 'chown -R root "$STATE_DIR/fragrance-ai"' EXIT
	"$CANARYCTL" --config "$CONFIG" rollback >"$WORK/rollback.out" 2>"$WORK/rollback.err" ||
		fail "exit code of rollback is $?: $(cat "$WORK/rollback.err")"
	ctl_wait 15
	assert_status 2
	all_on_production
}

full_disk() {
	[ "$(id -u)" -eq 0 ] || return 0
	rm -f "$BRAKE"
	mkdir -p "$NGINX_PREFIX/small"
	mount -t tmpfs -o size=64k tmpfs "$NGINX_PREFIX/small" || return 0
	trap 'umount "$NGINX_PREFIX/small"' EXIT
	cp "$UPSTREAM_CONF" "$NGINX_PREFIX/small/upstream.conf"
	mv "$UPSTREAM_CONF" "$WORK/upstream.kept"
	ln -s "$NGINX_PREFIX/small/upstream.conf" "$UPSTREAM_CONF"
	CFG_BRAKE='' CFG_OUTPUT=$NGINX_PREFIX/small/upstream.conf CFG_CHECKS='checks: []' CFG_SHARE='' CFG_STAGES='[50, 100]' CFG_OBSERVE=60s write_config
	ctl_start deploy --version v0.2.0 --yes --format json --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
	dd if=/dev/zero of="$NGINX_PREFIX/small/filler" bs=4k 2>/dev/null || :
	kill -TERM "$(pid_of deploy)"
	ctl_wait 30
	rm "$NGINX_PREFIX/small/filler" "$UPSTREAM_CONF"
	cp "$NGINX_PREFIX/small/upstream.conf" "$UPSTREAM_CONF"
	assert_status 143
	assert_json "$REPORT" '.outcome == "rolled_back" and .traffic.proven'
}

# Time in which nobody watched is not observed; what is in force is looked at before anything else.
stopped_and_continued() {
	start_rollout '[50, 100]' 8s
	kill -STOP "$(pid_of deploy)"
	sleep 9
	change_by_hand
	kill -CONT "$(pid_of deploy)"
	ctl_wait 20
	never_at 100
	assert_status 2
	assert_output 'this process was stopped for'
}

guardian_pid() {
	pgrep -f -- "--config $CONFIG guardian"
}

# systemd sends SIGTERM to a whole unit; then NGINX cannot reload for a while.
guardian_that_is_told_to_go() {
	rm -f "$BRAKE"
	CFG_BRAKE='' CFG_EXTRA='  guardian_grace: 300ms' CFG_CHECKS='' start_rollout '[50]' 60s
	kill -TERM "$(guardian_pid)"
	echo 'this is no directive;' >"$NGINX_PREFIX/conf.d/upstream-other.conf"
	stop deploy KILL
	wait_until 15 "the guardian has tried" grep -q 'unknown directive' "$STATE_DIR/fragrance-ai/guardian.log"
	rm "$NGINX_PREFIX/conf.d/upstream-other.conf"
	wait_until 30 "the guardian has put the canary to 0 %" weight_is 0
	all_on_production
}

scenario_begin hostile
start_scene 2
run_case interrupted_in_a_stage_hook 'SIGTERM while a stage hook runs: no further stage'
run_case interrupted_in_the_last_stage_hook 'SIGTERM while the last stage hook runs: no success'
run_case changed_by_hand_between_stages 'NGINX changed by somebody else: no further stage'
run_case changed_by_hand_in_the_last_stage 'NGINX changed by somebody else: no success'
run_case two_rollbacks_at_once 'two rollbacks at once: both end well'
run_case interrupted_rollback '^C and a lost terminal do not stop a rollback half way'
run_case interrupted_weights '^C and a lost terminal do not stop weights set half way'
run_case state_of_another_user 'root rolls back what another user rolls out'
run_case stopped_and_continued 'SIGSTOP and SIGCONT: looks before it acts'
run_case guardian_that_is_told_to_go 'the guardian outlives SIGTERM, and tries again'
run_case full_disk 'the disk of NGINX is full: the rollback still happens'
scenario_end
