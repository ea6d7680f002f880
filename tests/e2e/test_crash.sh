#!/usr/bin/env bash
# Killed with -9: by hand, with its whole process group, and before and after every named step of a
# rollout that fails. The guardian or `recover` ends each with 0 % proven. CRASH_POINTS=16 tries only so
# many, drawn anew.
. "$(dirname "$0")/lib.sh"

# A rollout that observes one stage, fails, and rolls back: most of the steps there are.
CHECK_THAT_FAILS='checks: [{ name: never, prometheus: { query: "vector(1)" }, require: "< 1" }]'

guardian_pid() {
	pgrep -f -- "--config $CONFIG guardian"
}

no_guardian() {
	! guardian_pid
}

start_rollout() { # GRACE
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s CFG_EXTRA="  guardian_grace: $1" CFG_CHECKS='' \
		CFG_SHARE='' write_config
	ctl_start deploy --version v0.2.0 --yes --output "$REPORT"
	wait_until 15 "the canary is at 50 %" weight_is 50
}

the_guardian_puts_it_right() {
	start_rollout 300ms
	stop deploy KILL
	wait_until 15 "the guardian has put the canary to 0 %" weight_is 0
	all_on_production
	wait_until 10 "the guardian has ended" no_guardian
	ctl status --format json
	assert_json "$OUT" '.phase == "rolled_back" and .owner_pid == null'
}

the_guardian_leaves_it_to_a_person() {
	start_rollout 60s
	stop deploy KILL
	ctl recover
	assert_status 0
	weight_is 0 || fail "the proof says $(proof canary)"
	wait_until 10 "the guardian has ended" no_guardian
}

the_guardian_ends_with_its_rollout() {
	start_rollout 300ms
	guardian_pid >/dev/null || fail "no guardian beside a running rollout"
	kill -TERM "$(pid_of deploy)"
	ctl_wait 15
	assert_status 143
	wait_until 10 "the guardian has ended" no_guardian
}

# A CI runner ends a job by killing its process group.
the_process_group_is_killed() {
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s CFG_EXTRA='  guardian_grace: 300ms' CFG_CHECKS='' \
		CFG_SHARE='' write_config
	setsid "$CANARYCTL" --config "$CONFIG" deploy --version v0.2.0 --yes >"$OUT" 2>"$ERR" </dev/null &
	echo $! >"$WORK/pids/deploy"
	wait_until 15 "the canary is at 50 %" weight_is 50
	kill -KILL -- "-$(pid_of deploy)"
	wait "$(pid_of deploy)" || :
	rm -f "$WORK/pids/deploy"
	wait_until 15 "the guardian has put the canary to 0 %" weight_is 0
	wait_until 15 "the guardian has ended" no_guardian
	all_on_production
}

# Somebody, or a CI job's retry, types deploy again: it is refused, and hides nothing.
a_refused_deploy_hides_nothing() {
	start_rollout 60s
	stop deploy KILL
	ctl deploy --version 0.2.0 --yes # another id within the same second
	assert_status 75
	ctl status --format json
	assert_json "$OUT" '.phase == "interrupted"'
	ctl recover
	assert_status 0
	weight_is 0 || fail "the proof says $(proof canary)"
	ctl status --format json
	assert_json "$OUT" '.phase == "rolled_back"'
}

nothing_to_recover() {
	CFG_CHECKS='' write_config
	ctl recover
	assert_status 0
	assert_output 'nothing to recover'
}

crash_config() {
	CFG_STAGES='[50]' CFG_OBSERVE=1s CFG_SHARE='' CFG_EXTRA='' CFG_CHECKS=$CHECK_THAT_FAILS write_config
}

# The steps that such a rollout really passes through.
list_steps() {
	crash_config
	ctl --log-level debug deploy --version v0.2.0 --yes
	assert_status 2
	sed -n 's/^canaryctl: debug: task \(.*: .*\)$/\1/p' "$ERR" | sort -u
}

dies_there() { # POINT
	local status=0
	# A shell in between, so that its "Killed" goes to the file as well.
	# shellcheck disable=SC2016
	CANARYCTL_CRASH_AT=$1 bash -c '"$@"; exit $?' _ timeout 60 \
		"$CANARYCTL" --config "$CONFIG" deploy --version v0.2.0 --yes \
		>"$OUT" 2>"$ERR" </dev/null || status=$?
	assert_equal "$status" 137 "exit code when killed $1"
	ctl recover
	assert_status 0
	weight_is 0 || fail "killed $1, recovered, and the proof says $(proof canary)"
	ctl status --format json
	assert_json "$OUT" '.owner_pid == null and .proven and .phase != "interrupted"'
}

every_step() {
	local points=$WORK/points point count=0
	list_steps | sed 's/^/before /; p; s/^before /after /' >"$points"
	[ "$(wc -l <"$points")" -gt 60 ] || fail "only $(wc -l <"$points") crash points were found"
	if [ -n "${CRASH_POINTS:-}" ]; then
		shuf -n "$CRASH_POINTS" "$points" >"$points.drawn"
		mv "$points.drawn" "$points"
	fi
	while read -r point; do
		dies_there "$point" || return 1
		count=$((count + 1))
	done <"$points"
	echo "        $count crash points"
}

scenario_begin crash
start_scene 2
run_case the_guardian_puts_it_right 'kill -9: the guardian puts the canary to 0 %'
run_case the_guardian_leaves_it_to_a_person 'kill -9: recover is faster than the guardian'
run_case the_guardian_ends_with_its_rollout 'the guardian ends with its rollout'
run_case the_process_group_is_killed 'the whole process group is killed'
run_case a_refused_deploy_hides_nothing 'a deploy that is refused hides no interrupted rollout'
run_case nothing_to_recover 'nothing to recover'
run_case every_step 'killed before and after named steps'
scenario_end
