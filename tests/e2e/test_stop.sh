#!/usr/bin/env bash
# The safe stop is proven within 5 s of the first signal, whatever the rollout is waiting for: hooks that
# sleep, that ignore TERM, that leave somebody behind; ^C twice, a closed terminal, a process group, and
# the three signals of a CI runner. And the guardian, which may be killed itself.
. "$(dirname "$0")/lib.sh"

SAFE_WITHIN_MS=5000

now_ms() {
	date +%s%3N
}

# A hook that says that it runs, and then does what TEXT says.
make_hook() { # NAME TEXT
	printf '#!/bin/sh\necho $$ >"%s/%s.pid"\n%s\n' "$WORK" "$1" "$2" >"$WORK/$1"
	chmod +x "$WORK/$1"
}

hook_runs() { # NAME
	[ -s "$WORK/$1.pid" ]
}

no_hook_runs() { # NAME
	! kill -0 "$(cat "$WORK/$1.pid")" 2>/dev/null
}

stop_config() { # HOOKS
	CFG_STAGES='[50, 100]' CFG_OBSERVE=1500ms CFG_CHECKS='' CFG_SHARE='' CFG_EXTRA="hooks: { $1 }" \
		write_config
	rm -f "$WORK"/*.pid
}

# The rollout is in a session, and so in a process group, of its own: as a CI job is.
start_in_group() {
	rm -f "$REPORT"
	setsid "$CANARYCTL" --config "$CONFIG" deploy --version v0.2.0 --yes --format json \
		--output "$REPORT" >"$OUT" 2>"$ERR" </dev/null &
	echo $! >"$WORK/pids/deploy"
}

stage_hook_is_running() { # NAME
	stop_config "after_stage: [\"$WORK/$1\"]"
	start_in_group
	wait_until 30 "the hook runs" hook_runs "$1"
	weight_is 50 || fail "the proof says $(proof canary)"
}

# The time that counts: from the first signal to what NGINX says.
safe_soon() { # SINCE_MS
	local took
	wait_until 30 "the canary is at 0 %" weight_is 0
	took=$(($(now_ms) - $1))
	echo "$took" >>"$WORK/times"
	assert_between "$took" 0 "$SAFE_WITHIN_MS" 'milliseconds from the first signal to 0 %'
}

show_times() {
	[ ! -s "$WORK/times" ] || sort -n "$WORK/times" |
		awk '{ t[NR] = $1 } END { printf "from the signal to 0 %%: median %d ms, at most %d ms, of %d\n", t[int((NR + 1) / 2)], t[NR], NR }'
}

ended_safely() { # STATUS
	ctl_wait 30
	assert_status "$1"
	assert_json "$REPORT" '.outcome == "aborted" or .outcome == "rolled_back"'
	assert_json "$REPORT" '.traffic | .canary_weight == 0 and .proven'
	all_on_production
}

# The hooks ignore what they like; the traffic is safe, and nothing of them is left.
stopped_in_hook() { # HOOK SIGNAL STATUS
	local since
	stage_hook_is_running "$1"
	since=$(now_ms)
	kill "-$2" "$(pid_of deploy)"
	safe_soon "$since"
	ended_safely "$3"
	wait_until 10 "the hook is gone" no_hook_runs "$1"
}

sleeping_hook() {
	make_hook sleeper 'sleep 300'
	stopped_in_hook sleeper INT 130
	stopped_in_hook sleeper TERM 143
	stopped_in_hook sleeper HUP 129
}

stubborn_hook() {
	make_hook stubborn "trap '' TERM; sleep 300"
	stopped_in_hook stubborn INT 130
	stopped_in_hook stubborn TERM 143
}

# Somebody in another session still holds the hook's outputs; that is not the rollout's child.
hook_that_leaves_a_daemon() {
	make_hook leaver "setsid sleep 300 &
echo \$! >\"$WORK/daemon\""
	stopped_in_hook leaver INT 130
	kill "$(cat "$WORK/daemon")"
}

hook_before_the_rollout() {
	local before since
	before=$(sha256sum "$UPSTREAM_CONF")
	make_hook first "trap '' TERM; sleep 300"
	stop_config "before_rollout: [\"$WORK/first\"]"
	start_in_group
	wait_until 30 "the hook runs" hook_runs first
	since=$(now_ms)
	kill -TERM "$(pid_of deploy)"
	ctl_wait 30
	assert_between $(($(now_ms) - since)) 0 "$SAFE_WITHIN_MS" 'milliseconds to the end'
	assert_status 143
	assert_json "$REPORT" '.outcome == "aborted"'
	assert_equal "$(sha256sum "$UPSTREAM_CONF")" "$before" 'the upstream file'
}

# The canary is at 0 % when it begins: the first signal after that ends it, and what it was for stays done.
hook_of_the_rollback() {
	make_hook sleeper 'sleep 300'
	make_hook last 'sleep 300'
	stop_config "after_stage: [\"$WORK/sleeper\"], on_rollback: [\"$WORK/last\"]"
	start_in_group
	wait_until 30 "the hook runs" hook_runs sleeper
	kill -INT "$(pid_of deploy)"
	wait_until 30 "the hook of the rollback runs" hook_runs last
	weight_is 0 || fail "the proof says $(proof canary)"
	kill -INT "$(pid_of deploy)"
	ended_safely 130
	assert_output "on_rollback.*was stopped"
}

# Everything went well: the hook is ended, and the rollout stays what it is.
hook_of_the_success() {
	make_hook last 'sleep 300'
	stop_config "on_success: [\"$WORK/last\"]"
	start_in_group
	wait_until 40 "the hook of the success runs" hook_runs last
	kill -TERM "$(pid_of deploy)"
	ctl_wait 30
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded" and .traffic.canary_weight == 100 and .traffic.proven'
	ctl rollback
	assert_status 0
}

interrupt_twice() {
	local since
	make_hook stubborn "trap '' TERM; sleep 300"
	stage_hook_is_running stubborn
	since=$(now_ms)
	kill -INT "$(pid_of deploy)"
	kill -INT "$(pid_of deploy)"
	safe_soon "$since"
	ended_safely 130
}

process_group() { # SIGNAL STATUS
	local since
	stage_hook_is_running stubborn
	since=$(now_ms)
	kill "-$1" -- "-$(pid_of deploy)"
	safe_soon "$since"
	ended_safely "$2"
}

signals_to_the_group() {
	make_hook stubborn "trap '' TERM; sleep 300"
	process_group INT 130
	process_group TERM 143
	process_group HUP 129
}

# What GitHub's runner does to a canceled job: three signals, 7.5 s and 2.5 s apart.
runner_cancels() {
	local since group
	make_hook stubborn "trap '' TERM; sleep 300"
	make_hook last "trap '' TERM; sleep 300"
	stop_config "after_stage: [\"$WORK/stubborn\"], on_rollback: [\"$WORK/last\"]"
	start_in_group
	group=$(pid_of deploy)
	wait_until 30 "the hook runs" hook_runs stubborn
	since=$(now_ms)
	kill -INT -- "-$group"
	safe_soon "$since"
	wait_until 30 "7.5 s are over" after_ms $((since + 7500))
	kill -TERM -- "-$group"
	wait_until 30 "10 s are over, or it has ended" eval "after_ms $((since + 10000)) || is_gone deploy"
	kill -KILL -- "-$group" 2>/dev/null || :
	ended_safely 130
	ctl --format json status
	assert_json "$OUT" '.owner_pid == null and .canary_weight == 0 and .proven and .phase != "interrupted"'
}

after_ms() { # TIME
	[ "$(now_ms)" -ge "$1" ]
}

# script(1) holds the terminal; with it the terminal goes.
closed_terminal() {
	local since owner
	stop_config ''
	sed -i 's/observe: 1500ms/observe: 60s/; /^hooks:/d' "$CONFIG"
	rm -f "$REPORT"
	spawn terminal script -qefc "'$CANARYCTL' --config '$CONFIG' deploy --version v0.2.0 --yes --output '$REPORT'" \
		/dev/null
	wait_until 30 "the canary is at 50 %" weight_is 50
	owner=$("$CANARYCTL" --config "$CONFIG" --format json status | jq .owner_pid)
	since=$(now_ms)
	stop terminal KILL
	safe_soon "$since"
	wait_until 30 "the rollout has ended" eval "! kill -0 $owner"
	assert_json "$REPORT" '.reason.message | test("SIGHUP")'
	assert_json "$REPORT" '.traffic | .canary_weight == 0 and .proven'
}

commands_in_a_hook() {
	local since command
	make_hook stubborn "trap '' TERM; sleep 300"
	for command in abort rollback; do
		stage_hook_is_running stubborn
		since=$(now_ms)
		"$CANARYCTL" --config "$CONFIG" "$command" >"$WORK/command.out" 2>&1
		safe_soon "$since"
		ended_safely 2
	done
}

# A rollout that is over but for its last hook is not killed, and does not keep anybody waiting.
rollback_in_the_last_hook() {
	make_hook last "trap '' TERM; sleep 300"
	stop_config "on_success: [\"$WORK/last\"]"
	start_in_group
	wait_until 40 "the hook of the success runs" hook_runs last
	"$CANARYCTL" --config "$CONFIG" rollback >"$WORK/command.out" 2>&1
	weight_is 0 || fail "the proof says $(proof canary)"
	ctl_wait 10
	assert_status 0
	assert_json "$REPORT" '.outcome == "succeeded"'
	all_on_production
}

# The hook of the rollback has the time that a rollback is waited for.
rollback_in_the_hook_of_the_rollback() {
	make_hook sleeper 'sleep 300'
	make_hook last 'sleep 300'
	CFG_SETTLE_TIMEOUT=1s stop_config "after_stage: [\"$WORK/sleeper\"], on_rollback: [\"$WORK/last\"]"
	start_in_group
	wait_until 30 "the hook runs" hook_runs sleeper
	"$CANARYCTL" --config "$CONFIG" rollback >"$WORK/command.out" 2>&1
	ended_safely 2
	assert_output 'on_rollback.*was stopped'
}

# What nobody asked to end is left alone.
pause_in_a_hook() {
	make_hook short "while [ ! -e '$WORK/go-on' ]; do sleep 0.05; done"
	rm -f "$WORK/go-on"
	stage_hook_is_running short
	"$CANARYCTL" --config "$CONFIG" pause >"$WORK/command.out" 2>&1 || :
	no_hook_runs short && fail "pause ended the hook"
	touch "$WORK/go-on"
	"$CANARYCTL" --config "$CONFIG" abort >"$WORK/command.out" 2>&1
	ended_safely 2
}

# --- the guardian ---
guardian_pid() {
	pgrep -f -- "--config $CONFIG guardian"
}

guardian_is_grown_up() {
	[ "$(ps -o etimes= -p "$(guardian_pid)")" -ge 2 ]
}

another_guardian() { # OLD_PID
	local pid
	pid=$(guardian_pid) && [ "$pid" != "$1" ]
}

# A rollout that observes at 50 %, whose guardian was killed and has been replaced.
start_and_kill_guardian() { # sets KILLED_GUARDIAN
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s CFG_INTERVAL=20s CFG_EXTRA='  guardian_grace: 300ms' \
		CFG_CHECKS='' CFG_SHARE='' write_config
	start_in_group
	wait_until 30 "the canary is at 50 %" weight_is 50
	# One that dies within its first second is only replaced at the next evaluation.
	wait_until 10 "the guardian is a second old" guardian_is_grown_up
	KILLED_GUARDIAN=$(guardian_pid)
	kill -KILL "$KILLED_GUARDIAN"
	# By far sooner than the next evaluation.
	wait_until 15 "there is another guardian" another_guardian "$KILLED_GUARDIAN"
}

guardian_is_killed() {
	local second
	start_and_kill_guardian
	wait_until 10 "it is said" grep -q 'the guardian had died; a new one was started' "$OUT"
	second=$(guardian_pid)
	assert_equal "$(grep -c . <<<"$second")" 1 'guardians'
	stop deploy KILL
	wait_until 30 "the new guardian has put the canary to 0 %" weight_is 0
	all_on_production
	wait_until 10 "the guardian has ended" eval '! guardian_pid'
	ctl --format json status
	assert_json "$OUT" '.phase == "rolled_back" and .proven'
}

# No zombie, no second guardian, and it goes with its rollout as the first would have.
new_guardian_is_dismissed() {
	start_and_kill_guardian
	if kill -0 "$KILLED_GUARDIAN" 2>/dev/null; then
		fail "the old guardian is left as a zombie"
	fi
	kill -TERM "$(pid_of deploy)"
	ended_safely 143
	wait_until 10 "the guardian has ended" eval '! guardian_pid'
}

scenario_begin stop
start_refapp production v0.1.0
start_canary
start_site 2
run_case sleeping_hook 'a hook sleeps: INT, TERM, HUP'
run_case stubborn_hook 'a hook ignores TERM'
run_case hook_that_leaves_a_daemon 'a hook leaves somebody behind who holds its outputs'
run_case hook_before_the_rollout 'the hook before the rollout'
run_case hook_of_the_rollback 'the hook of the rollback, and a second signal'
run_case hook_of_the_success 'the hook of the success'
run_case interrupt_twice '^C twice'
run_case signals_to_the_group 'the whole process group: INT, TERM, HUP'
run_case runner_cancels "a CI runner's INT, TERM, KILL"
run_case closed_terminal 'a closed terminal'
run_case commands_in_a_hook 'abort and rollback while a hook runs'
run_case rollback_in_the_last_hook 'rollback while the hook of the success runs'
run_case rollback_in_the_hook_of_the_rollback 'rollback, and the hook of the rollback goes on and on'
run_case pause_in_a_hook 'pause leaves a hook alone'
run_case guardian_is_killed 'the guardian is killed, then the rollout'
run_case new_guardian_is_dismissed 'the new guardian ends with its rollout'
show_times
scenario_end
