/* What is in force now: see look.h. Asks until each worker should have answered. */
#include "traffic/look.h"

#include "canaryctl/mem.h"

#include <string.h>

enum { LOOK_FIRST = 8, ANSWERS_PER_WORKER = 4, LOOK_MOST = 128 };

static enum task_next look_ask(struct task *task);
static enum task_next look_answered(struct task *task);

static const struct task_step look_steps[] = {
	{ "ask", look_ask },
	{ "answered", look_answered },
	{ 0 },
};

void look_start(struct look *look, struct task *parent)
{
	look->agree = look->is_braked = true;
	task_start_child(&look->task, parent, "look", look_steps);
}

static enum task_next look_ask(struct task *task)
{
	struct look *look = container_of(task, struct look, task);
	int wanted = look->processes.accepting * ANSWERS_PER_WORKER - look->answers;

	probe_start(&look->probe, task, look->url, look->answers ? wanted : LOOK_FIRST);
	return TASK_WAIT;
}

static void take_answer(struct look *look, const struct proof_answer *answer)
{
	if (look->answers && (strcmp(answer->generation, look->answer.generation) != 0 ||
				     answer->canary != look->answer.canary))
		look->agree = false;
	look->is_braked = look->is_braked && answer->is_braked;
	look->answer = *answer;
	look->answers++;
}

static enum task_next look_answered(struct task *task)
{
	struct look *look = container_of(task, struct look, task);
	int master;

	probe_collect(&look->probe);
	look->foreign += look->probe.foreign;
	look->broken += look->probe.broken;
	if (look->probe.oddity[0])
		memcpy(look->oddity, look->probe.oddity, sizeof(look->oddity));
	for (int i = 0; i < look->probe.answered; i++)
		take_answer(look, &look->probe.answers[i]);
	if (look->answers == 0 || look->probe.answered == 0)
		look->agree = look->is_braked = false;
	if (look->answers)
		master = nginx_proc_master_of(look->answer.pid);
	else
		master = look->is_elsewhere ? 0 : nginx_proc_find_master(look->config_path);
	nginx_proc_read(master, &look->processes);
	if (look->probe.answered && look->answers < LOOK_MOST &&
		look->answers < look->processes.accepting * ANSWERS_PER_WORKER)
		return task_goto(task, &look_steps[0], TASK_MORE);
	return TASK_DONE;
}
