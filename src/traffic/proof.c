/* The proof: see proof.h. Watches /proc every few milliseconds, then asks. */
#include "traffic/proof.h"

#include "canaryctl/clock.h"
#include "canaryctl/mem.h"

#include <string.h>

enum {
	WATCH_EVERY_MS = 4,
	ASK_EVERY_MS = 20,    /* where /proc shows nothing */
	QUIET_MS = 500,       /* without another answer, where /proc shows nothing */
	WRONG_FILE_MS = 1500, /* new workers, and still not our answer */
	ANSWERS_PER_WORKER = 4,
	ANSWERS_UNKNOWN = 16, /* of an unknown number of workers */
};

static enum task_next proof_watch(struct task *task);
static enum task_next proof_answered(struct task *task);

static const struct task_step proof_steps[] = {
	{ "watch", proof_watch },
	{ "answered", proof_answered },
	{ 0 },
};

void proof_start(struct proof *proof, struct task *parent)
{
	proof->started_ms = proof->last_bad_ms = clock_monotonic_ms();
	proof->in_order_ms = proof->unchanged_since_ms = -1;
	if (proof->before->master) {
		proof->processes.master = proof->before->master;
		proof->expected_workers = nginx_proc_expected_workers(
			proof->before->master, &proof->expected_is_guess);
	}
	task_start_child(&proof->task, parent, "proof", proof_steps);
}

static enum task_next watch_again(struct proof *proof, int64_t after_ms)
{
	sleep_start(&proof->pause, &proof->task, after_ms);
	return task_goto(&proof->task, &proof_steps[0], TASK_WAIT);
}

static bool number_is_right(const struct proof *proof)
{
	int accepting = proof->processes.accepting;
	int expected = proof->expected_workers, before = proof->before->accepting;

	if (expected && accepting == expected)
		return true;
	if (expected && !proof->expected_is_guess)
		return false;
	return !before || accepting == before;
}

/* Reads /proc and notes since when the processes are as they should be. */
static void look_at_processes(struct proof *proof, int64_t now)
{
	const struct nginx_processes *seen = &proof->processes;
	bool in_order;

	if (!proof->processes.master ||
		!nginx_proc_read(proof->processes.master, &proof->processes))
		return;
	if (!nginx_workers_are_same(seen, proof->before))
		proof->unchanged_since_ms = -1;
	else if (proof->unchanged_since_ms < 0)
		proof->unchanged_since_ms = now;
	in_order = !proof->reload_ticks ||
		   (nginx_workers_are_younger(seen, proof->reload_ticks, proof->before) &&
			   number_is_right(proof)) ||
		   (proof->unchanged_ms && proof->unchanged_since_ms >= 0 &&
			   now - proof->unchanged_since_ms >= proof->unchanged_ms);
	if (!in_order)
		proof->in_order_ms = -1;
	else if (proof->in_order_ms < 0)
		proof->in_order_ms = now;
}

static enum task_next give_up_waiting(struct proof *proof)
{
	struct error *err = &proof->error;
	long long timeout = (long long)proof->timeout_ms;

	if (proof->processes.master && proof->in_order_ms < 0)
		error_set(err, ERROR_TRAFFIC, 0,
			"after %lld ms nginx (master %d) has %d accepting workers that are not all "
			"new, and so the old weights",
			timeout, proof->processes.master, proof->processes.accepting);
	else if (!proof->answers)
		error_set(err, ERROR_TRAFFIC, 0,
			"nothing that is ours answered at '%s' within %lld ms", proof->url,
			timeout);
	else
		error_set(err, ERROR_TRAFFIC, 0,
			"'%s' still answers with generation '%s' after %lld ms", proof->url,
			proof->answer.generation, timeout);
	error_hint(err, "the reload command did not reach this nginx, or its error log says why it "
			"kept the old configuration");
	return TASK_DONE;
}

/* New workers that do not know the new file have read another one. */
static enum task_next give_up_on_file(struct proof *proof)
{
	error_set(&proof->error, ERROR_TRAFFIC, 0,
		"nginx has reloaded, but '%s' %s: it has not read the new file", proof->url,
		proof->answers ? "answers with another generation" : "does not answer");
	error_hint(&proof->error,
		"is traffic.nginx.output included by nginx.conf? If it is mounted into a container "
		"as a single file, mount its folder instead, or set output_in_place: true");
	return TASK_DONE;
}

static int wanted_answers(const struct proof *proof)
{
	int workers = proof->processes.accepting;

	return workers ? workers * ANSWERS_PER_WORKER : ANSWERS_UNKNOWN;
}

static enum task_next proof_watch(struct task *task)
{
	struct proof *proof = container_of(task, struct proof, task);
	int64_t now = clock_monotonic_ms();
	char complaint[512];

	if (proof->log && nginx_log_find_complaint(proof->log, complaint, sizeof(complaint))) {
		proof->master_complained = true;
		error_set(&proof->error, ERROR_TRAFFIC, 0, "nginx kept its old configuration: %s",
			complaint);
		error_hint(&proof->error, "nginx -t does not see this; mend it, then try again");
		return TASK_DONE;
	}
	if (now - proof->started_ms >= proof->timeout_ms)
		return give_up_waiting(proof);
	look_at_processes(proof, now);
	if (proof->processes.master && proof->in_order_ms < 0)
		return watch_again(proof, WATCH_EVERY_MS);
	if (proof->processes.master && proof->reload_ticks && proof->bad &&
		now - proof->in_order_ms >= WRONG_FILE_MS)
		return give_up_on_file(proof);
	probe_start(&proof->probe, task, proof->url, wanted_answers(proof) - proof->good);
	return TASK_WAIT;
}

static bool is_wanted(const struct proof *proof, const struct proof_answer *answer)
{
	if (proof->generation)
		return strcmp(answer->generation, proof->generation) == 0;
	return !proof->unwanted || strcmp(answer->generation, proof->unwanted) != 0;
}

static void judge_answers(struct proof *proof)
{
	struct probe *probe = &proof->probe;
	int good = 0, bad = 0;

	probe_collect(probe);
	for (int i = 0; i < probe->answered; i++) {
		proof->answer = probe->answers[i];
		if (is_wanted(proof, &probe->answers[i]))
			good++;
		else
			bad++;
	}
	proof->answers += probe->answered;
	if (proof->generation)
		bad += probe->refused + probe->foreign + probe->broken;
	else
		good += probe->refused + probe->foreign + probe->broken;
	proof->good = bad ? 0 : proof->good + good;
	proof->bad = bad;
	if (bad)
		proof->last_bad_ms = clock_monotonic_ms();
}

/* Before the first rollout nobody could name the master; a worker that answers does. */
static bool has_found_master(struct proof *proof)
{
	if (proof->processes.master || !proof->good || !proof->answers)
		return false;
	proof->processes.master = nginx_proc_master_of(proof->answer.pid);
	if (!proof->processes.master)
		return false;
	proof->expected_workers =
		nginx_proc_expected_workers(proof->processes.master, &proof->expected_is_guess);
	return true;
}

static enum task_next proof_answered(struct task *task)
{
	struct proof *proof = container_of(task, struct proof, task);
	int64_t now;

	judge_answers(proof);
	now = clock_monotonic_ms();
	if (has_found_master(proof))
		return task_goto(task, &proof_steps[0], TASK_MORE);
	look_at_processes(proof, now);
	if (proof->bad)
		return watch_again(proof, WATCH_EVERY_MS);
	if (proof->processes.master && proof->in_order_ms < 0)
		return watch_again(proof, WATCH_EVERY_MS);
	if (proof->good < wanted_answers(proof))
		return task_goto(task, &proof_steps[0], TASK_MORE);
	if (!proof->processes.master && proof->reload_ticks && now - proof->last_bad_ms < QUIET_MS)
		return watch_again(proof, ASK_EVERY_MS);
	proof->is_proven = true;
	return TASK_DONE;
}
