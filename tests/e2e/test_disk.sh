#!/usr/bin/env bash
# The disk below the state folder fails: each write in turn, full or read-only in the middle of a rollout,
# a journal that is cut, has flipped bytes or is gone. The traffic goes to 0 % all the same, nothing
# crashes, and nobody is told what is not so. WRITES=200 tries that many of the writes (16), SEEDS=40 that
# many damages (5).
# Full and read-only file systems are real ones where this may mount (as root, in a namespace of its own);
# single writes fail by tests/tools/preload/disk.c.
if [ "${DISK_TEST_NAMESPACE:-}" = '' ] && unshare -m true 2>/dev/null; then
	DISK_TEST_NAMESPACE=own exec unshare -m bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"

CHECK_THAT_FAILS='checks: [{ name: never, prometheus: { query: "vector(1)" }, require: "< 1" }]'
CHECK_THAT_PASSES='checks: []'
PRELOAD=$BUILD_DIR/tests/preload_disk.so

may_mount() {
	[ "${DISK_TEST_NAMESPACE:-}" = own ]
}

# --- what holds after every fault ------------------------------------------------------------------

# Ended by itself, and not by a signal or a sanitizer.
assert_no_crash() { # WHAT
	[ "$STATUS" -lt 100 ] || fail "$1: exit code $STATUS; $(tail -n 3 "$ERR")"
	if grep -Eq 'Sanitizer|runtime error|BUG' "$ERR"; then
		fail "$1: $(grep -E 'Sanitizer|runtime error|BUG' "$ERR" | head -n 3)"
	fi
}

assert_zero() { # WHAT
	weight_is 0 || fail "$1: the proof says $(proof canary)"
}

# What status says of the traffic is what NGINX does, and it does not call unknown things idle.
status_is_true() { # WHAT
	ctl --format json status
	assert_no_crash "$1: status"
	assert_status 0
	assert_equal "$(jq -r .canary_weight "$OUT")" "$(proof canary)" "$1: the weight of status"
	if jq -e '.journal_error' "$OUT" >/dev/null; then
		assert_json "$OUT" '.phase != "idle"'
	fi
	ctl status
	assert_no_crash "$1: status"
}

rollback_works() { # WHAT
	ctl rollback
	assert_no_crash "$1: rollback"
	assert_status 0
	assert_zero "$1"
}

# ctl with a disk that fails.
ctl_faulty() { # ASSIGNMENT... -- ARGUMENT...
	local environment=()
	while [ "$1" != -- ]; do
		environment+=("$1")
		shift
	done
	shift
	rm -f "$REPORT"
	set +e
	env LD_PRELOAD="$PRELOAD" DISK_FAULT_UNDER="$STATE_DIR" "${environment[@]}" timeout 90 \
		"$CANARYCTL" --config "$CONFIG" "$@" >"$OUT" 2>"$ERR" </dev/null
	STATUS=$?
	set -e
}

# --- single writes -----------------------------------------------------------------------------------

short_config() {
	CFG_STAGES='[50]' CFG_OBSERVE=1s CFG_SHARE='' CFG_CHECKS=$CHECK_THAT_FAILS write_config
}

one_write_fails() { # NUMBER ONCE ERRNO
	rm -rf "$STATE_DIR"
	ctl_faulty DISK_FAULT_AT="$1" DISK_FAULT_ONCE="$2" DISK_FAULT_ERRNO="$3" -- \
		deploy --version v0.2.0 --yes --output "$REPORT"
	assert_no_crash "write $1"
	case $STATUS in
	2) ;; # rolled back: by the check that fails, or for want of a journal
	69) assert_error "'.*'" ;;
	*) fail "write $1 (once: $2, errno $3): exit code $STATUS; $(tail -n 1 "$ERR")" ;;
	esac
	assert_zero "write $1"
	status_is_true "write $1"
	ctl recover
	assert_no_crash "write $1: recover"
	assert_status 0
}

each_write() {
	local total number error_number
	short_config
	ctl_faulty DISK_FAULT_COUNT="$WORK/count" -- deploy --version v0.2.0 --yes
	assert_status 2
	total=$(cat "$WORK/count")
	[ "$total" -gt 40 ] || fail "only $total writes were counted"
	for number in $(seq "$total" | shuf -n "${WRITES:-16}"); do
		case $((RANDOM % 3)) in
		0) error_number=28 ;; # ENOSPC
		1) error_number=5 ;;  # EIO
		*) error_number=30 ;; # EROFS
		esac
		one_write_fails "$number" $((RANDOM % 2)) "$error_number"
	done
	echo "        of $total writes"
}

# --- in the middle of a rollout ----------------------------------------------------------------------

start_rollout() { # [ASSIGNMENT...]
	CFG_STAGES='[50, 100]' CFG_OBSERVE=60s CFG_SHARE='' CFG_EXTRA="  guardian_grace: ${GRACE:-60s}" CFG_CHECKS='' \
		write_config
	rm -f "$REPORT"
	env LD_PRELOAD="$PRELOAD" "$@" "$CANARYCTL" --config "$CONFIG" deploy --version v0.2.0 --yes --output "$REPORT" \
		>"$OUT" 2>"$ERR" </dev/null &
	echo $! >"$WORK/pids/deploy"
	wait_until 30 "the stage is observed" observing
}

observing() {
	weight_is 50 && "$CANARYCTL" --config "$CONFIG" status --format json | jq -e '.phase == "observing"'
}

rolled_back_without_a_journal() {
	ctl_wait 30
	assert_status 2
	assert_error 'cannot write to the journal'
	assert_error 'no longer recorded'
	assert_json "$REPORT" '.outcome == "rolled_back" and .traffic.canary_weight == 0 and .traffic.proven'
	assert_json "$REPORT" '.reason.message | test("journal")'
	assert_zero 'no journal'
}

# Everything that comes after it, on the same broken disk, and once it is mended.
afterwards_broken() {
	status_is_true 'broken disk'
	ctl deploy --version v0.2.0 --yes
	assert_no_crash 'deploy on a broken disk'
	assert_status 69
	assert_zero 'deploy on a broken disk'
	rollback_works 'broken disk'
}

mended() {
	ctl recover
	assert_status 0
	short_config
	ctl deploy --version v0.2.0 --yes
	assert_status 2
	assert_zero 'mended'
}

writes_fail_in_the_middle() {
	local error_number
	for error_number in 28 5 30; do
		rm -f "$WORK/disk-fails"
		start_rollout DISK_FAULT_UNDER="$STATE_DIR" DISK_FAULT_FLAG="$WORK/disk-fails" \
			DISK_FAULT_ERRNO=$error_number
		touch "$WORK/disk-fails"
		rolled_back_without_a_journal
		mended
	done
}

# As `ulimit -f` does it: the kernel sends a signal that ends whoever does not heed it.
file_size_limit() {
	rm -rf "$STATE_DIR" # else its log has room from the last time
	start_rollout
	prlimit --pid "$(pid_of deploy)" --fsize="$(stat -c %s "$STATE_DIR/fragrance-ai/journal.db-wal")"
	rolled_back_without_a_journal
	mended
}

# Where NGINX's files are as well: no reload with other weights is possible, and the brake holds.
full_disk_everywhere() {
	rm -f "$WORK/disk-fails"
	start_rollout DISK_FAULT_UNDER="$WORK" DISK_FAULT_FLAG="$WORK/disk-fails" DISK_FAULT_ERRNO=28
	touch "$WORK/disk-fails"
	ctl_wait 30
	assert_status 2
	all_on_production
	assert_error 'No space left'
	rm "$WORK/disk-fails"
	rollback_works 'mended'
	mended
}

mount_state() { # OPTIONS
	umount_state
	mkdir -p "$STATE_DIR"
	mount -t tmpfs -o "$1" tmpfs "$STATE_DIR"
	chmod 755 "$STATE_DIR"
}

umount_state() {
	if mountpoint -q "$STATE_DIR"; then
		umount -l "$STATE_DIR"
	fi
}

full_file_system() {
	umount_state
	rm -rf "$STATE_DIR"
	mount_state size=512k
	start_rollout
	cat /dev/zero >"$STATE_DIR/ballast" 2>"$WORK/ballast.err" || :
	rolled_back_without_a_journal
	afterwards_broken
	rm "$STATE_DIR/ballast"
	mended
	umount_state
}

full_before_the_start() {
	umount_state
	rm -rf "$STATE_DIR"
	mount_state size=64k
	cat /dev/zero >"$STATE_DIR/ballast" 2>"$WORK/ballast.err" || :
	short_config
	rollback_works 'full'
	afterwards_broken
	ctl weights set 50
	assert_no_crash 'weights set'
	status_is_true 'full'
	rollback_works 'full'
	umount_state
}

# What a kernel does to a file system with a bad sector, after the rollout was killed: nothing can be
# recorded, and the guardian and a person put the traffic right all the same.
read_only_file_system() {
	umount_state
	rm -rf "$STATE_DIR"
	start_rollout
	stop deploy KILL
	stop_guardians
	make_state_read_only
	status_is_true 'read-only'
	assert_json "$WORK/status.json" '.phase == "interrupted" and .canary_weight == 50'
	ctl recover
	assert_no_crash 'recover'
	assert_status 0
	assert_error 'not recorded'
	assert_zero 'recover'
	afterwards_broken
	umount_state
	mended
}

# A read-only file system with the state as it is now, above it: what is open stays open.
make_state_read_only() {
	cp -a "$STATE_DIR" "$WORK/copy"
	mount_state size=4m
	cp -a "$WORK/copy/." "$STATE_DIR"
	rm -rf "$WORK/copy"
	mount -o remount,ro "$STATE_DIR"
	"$CANARYCTL" --config "$CONFIG" --format json status >"$WORK/status.json" || :
}

guardian_on_a_read_only_file_system() {
	umount_state
	rm -rf "$STATE_DIR"
	GRACE=2s start_rollout
	stop deploy KILL
	make_state_read_only
	wait_until 30 "the guardian has put the canary to 0 %" weight_is 0
	all_on_production
	umount_state
	mended
}

# --- a damaged journal -------------------------------------------------------------------------------

# The state of a rollout that was killed at 50 %, to be damaged again and again.
keep_an_interrupted_state() {
	rm -rf "$STATE_DIR" "$WORK/interrupted"
	start_rollout
	kill_both
	cp -a "$STATE_DIR" "$WORK/interrupted"
	# The same with all in the database and nothing in the log beside it.
	cp -a "$STATE_DIR" "$WORK/checkpointed"
	sqlite3_checkpoint "$WORK/checkpointed/fragrance-ai/journal.db"
	short_config
	CFG_FILE=$WORK/other.yaml CFG_STATE_DIR=$WORK/other-state CFG_CHECKS=$CHECK_THAT_PASSES CFG_SHARE='' write_config
}

# Opening and closing it is enough: SQLite does it when the last one goes.
sqlite3_checkpoint() { # DATABASE
	CFG_FILE=$WORK/checkpoint.yaml CFG_STATE_DIR=${1%/*/*} CFG_CHECKS='' CFG_SHARE='' write_config
	"$CANARYCTL" --config "$WORK/checkpoint.yaml" status >/dev/null
}

# The guardian would read the journal, and SQLite tidy it up.
kill_both() {
	kill -STOP "$(pgrep -f -- "--config $CONFIG guardian")"
	stop deploy KILL
	stop_guardians
}

# STATE is "interrupted" or "checkpointed"; the canary has 50 % again, by other means than this state.
damaged_state() { # STATE DAMAGE...
	rm -rf "$STATE_DIR"
	cp -a "$WORK/$1" "$STATE_DIR"
	rm -f "$BRAKE"
	"$CANARYCTL" --config "$WORK/other.yaml" weights set 50 >/dev/null 2>"$WORK/by-hand.err"
	weight_is 50 || fail "the proof says $(proof canary)"
	shift
	(cd "$STATE_DIR/fragrance-ai" && "$@")
}

# Bytes at random places, the same for the same seed.
flip_bytes() { # FILE COUNT SEED
	local size i at
	RANDOM=$3
	size=$(stat -c %s "$1")
	for ((i = 0; i < $2; i++)); do
		at=$(((RANDOM * 32768 + RANDOM) % size))
		printf '%b' "\\x$(printf %02x $((RANDOM % 256)))" |
			dd of="$1" bs=1 seek="$at" conv=notrunc status=none
	done
}

cut_file() { # FILE SEED
	RANDOM=$2
	truncate -s $(((RANDOM * 32768 + RANDOM) % $(stat -c %s "$1"))) "$1"
}

survives() { # STATE DAMAGE...
	local what="$*"
	damaged_state "$@"
	status_is_true "$what"
	ctl recover
	assert_no_crash "$what: recover"
	assert_status 0
	# Or it says that it does not know of anything, and what to do.
	if ! weight_is 0; then
		grep -q "canaryctl rollback" "$OUT" "$ERR" || fail "$what: recover does not say what to do"
	fi
	damaged_state "$@"
	ctl deploy --version v0.2.0 --yes
	assert_no_crash "$what: deploy"
	case $STATUS in
	2) assert_zero "$what: deploy" ;;
	69 | 75)
		assert_error 'canaryctl (recover|rollback)'
		weight_is 50 || fail "$what: deploy refused, and the proof says $(proof canary)"
		;;
	*) fail "$what: exit code of deploy is $STATUS; $(tail -n 1 "$ERR")" ;;
	esac
	damaged_state "$@"
	rollback_works "$what"
	rm -rf "$STATE_DIR"
}

flipped_bytes() {
	local seed
	keep_an_interrupted_state
	for seed in $(seq "${SEEDS:-5}"); do
		survives interrupted flip_bytes journal.db-wal $((seed * 4)) "$seed"
		survives checkpointed flip_bytes journal.db $((seed * 4)) "$seed"
	done
}

cut_journal() {
	local seed
	keep_an_interrupted_state
	for seed in 1 2; do
		survives interrupted cut_file journal.db-wal "$seed"
		survives checkpointed cut_file journal.db "$seed"
	done
	survives checkpointed truncate -s 0 journal.db
	survives checkpointed truncate -s 100 journal.db
}

lost_files() {
	keep_an_interrupted_state
	survives interrupted rm journal.db-wal
	survives interrupted rm journal.db-shm
	survives interrupted rm journal.db
	survives interrupted rm journal.db journal.db-wal journal.db-shm
	survives checkpointed rm lock
}

scenario_begin disk
start_scene 2
run_case each_write 'each write in turn'
run_case writes_fail_in_the_middle 'full, broken and read-only in the middle of a rollout'
run_case file_size_limit 'a limit on the size of files'
run_case full_disk_everywhere "the disk of NGINX's files as well"
if may_mount; then
	run_case full_file_system 'a file system that is full, in the middle'
	run_case full_before_the_start 'a file system that is full, before the start'
	run_case read_only_file_system 'a read-only file system after a kill'
	run_case guardian_on_a_read_only_file_system 'the guardian on a read-only file system'
fi
run_case flipped_bytes 'a journal with flipped bytes'
run_case cut_journal 'a journal that is cut'
run_case lost_files 'files of the journal that are gone'
umount_state
scenario_end
