/*
 * The doctor looks. First everybody is asked at the same time: the proof address, Prometheus (its
 * clock, its targets, every check), both applications. Then NGINX tests and prints its whole
 * configuration, and tests what the template renders to at each stage, in a scratch folder.
 */
#include "doctor/doctor_private.h"

#include "canaryctl/clock.h"
#include "canaryctl/fileio.h"
#include "traffic/nginx_output.h"
#include "traffic/nginx_proc.h"
#include "traffic/shift.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	TEST_TIMEOUT_MS = 30000,
	DUMP_MAX_BYTES = 8 << 20,
	HEALTH_TIMEOUT_MS = 5000,
	HEALTH_MAX_BYTES = 1 << 20,
	WINDOW_MS = 5 * 60 * 1000,
	SOCKETS_MAX_BYTES = 16 << 20,
	MOST_SOCKETS = 4096,
};

static struct doctor *doctor_of(struct task *task)
{
	return container_of(task, struct doctor, task);
}

/* ---- Prometheus' clock ---- */

static enum task_next clock_ask(struct task *task)
{
	struct doctor *doctor = container_of(task, struct doctor, clock);

	doctor->clock_asked_ms = clock_wall_ms();
	prom_query_start(&doctor->clock_query, task, &doctor->config->prometheus, PROM_TIME, 0);
	return TASK_WAIT;
}

static enum task_next clock_told(struct task *task)
{
	struct doctor *doctor = container_of(task, struct doctor, clock);
	struct doctor_facts *facts = &doctor->facts;
	double asked = (double)doctor->clock_asked_ms / 1000;
	double told = (double)clock_wall_ms() / 1000;

	if (prom_query_time(&doctor->clock_query, &facts->server_time, &facts->prometheus_error) <
		0)
		return TASK_DONE;
	facts->own_time = (asked + told) / 2;
	facts->time_error = (told - asked) / 2;
	return TASK_DONE;
}

static const struct task_step clock_steps[] = {
	{ "ask", clock_ask },
	{ "told", clock_told },
	{ 0 },
};

/* ---- everybody at once ---- */

static void ask_checks(struct doctor *doctor)
{
	const struct config *config = doctor->config;

	doctor->checks = mem_array(config->check_count + 1, sizeof(*doctor->checks));
	for (size_t i = 0; i < config->check_count; i++)
		doctor->checks[i] = &config->checks[i];
	doctor->facts.evaluation = (struct evaluation){
		.checks = doctor->checks,
		.count = config->check_count,
		.context = { .config = config,
			.version = "",
			.window_ms = WINDOW_MS,
			.target = "canary" },
	};
	evaluation_start(&doctor->facts.evaluation, &doctor->task);
}

static void ask_health(struct doctor *doctor, struct http_op *http, const char *url)
{
	struct http_request request = { .url = url,
		.timeout_ms = HEALTH_TIMEOUT_MS,
		.maximum_bytes = HEALTH_MAX_BYTES,
		.fresh_connection = true };

	http_start(http, &doctor->task, &request);
}

static void ask_targets(struct doctor *doctor)
{
	const struct prometheus_config *prometheus = &doctor->config->prometheus;
	CLEANUP_FREE char *url = mem_format("%s/api/v1/targets?state=active", prometheus->url);
	struct http_request request = {
		.url = url, .auth = &prometheus->auth, .timeout_ms = prometheus->timeout_ms
	};

	http_start(&doctor->targets, &doctor->task, &request);
}

static enum task_next ask_everybody(struct task *task)
{
	struct doctor *doctor = doctor_of(task);
	struct doctor_facts *facts = &doctor->facts;

	facts->look.url = facts->edge.proof_url;
	facts->look.config_path = facts->edge.config_path;
	facts->look.is_elsewhere = facts->edge.is_elsewhere;
	look_start(&facts->look, task);
	output_fetch_start(&doctor->file, &facts->edge, task);
	task_start_child(&doctor->clock, task, "clock", clock_steps);
	ask_checks(doctor);
	ask_targets(doctor);
	ask_health(doctor, &facts->canary, doctor->config->canary.health);
	ask_health(doctor, &facts->production, doctor->config->production.health);
	return TASK_WAIT;
}

/* ---- what NGINX's processes tell ---- */

static void read_users(struct doctor_facts *facts)
{
	const struct nginx_processes *processes = &facts->look.processes;
	char path[48];
	struct stat info;

	snprintf(path, sizeof(path), "/proc/%d", facts->master);
	if (stat(path, &info) == 0)
		facts->master_user = info.st_uid;
	if (!processes->count)
		return;
	snprintf(path, sizeof(path), "/proc/%d", processes->workers[0].pid);
	facts->has_worker = stat(path, &info) == 0;
	facts->worker_user = info.st_uid;
	facts->worker_group = info.st_gid;
}

/* The inodes of the master's sockets; 0 of them: not to be seen. */
static size_t read_sockets(int master, unsigned long *ret_inodes)
{
	char folder[48], path[320], target[64];
	size_t count = 0;
	struct dirent *entry;
	DIR *descriptors;

	snprintf(folder, sizeof(folder), "/proc/%d/fd", master);
	descriptors = opendir(folder);
	while (descriptors && count < MOST_SOCKETS && (entry = readdir(descriptors))) {
		ssize_t length;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		length = readlink(path, target, sizeof(target) - 1);
		if (length <= 0)
			continue;
		target[length] = '\0';
		if (sscanf(target, "socket:[%lu]", &ret_inodes[count]) == 1)
			count++;
	}
	if (descriptors)
		closedir(descriptors);
	return count;
}

static bool holds(const unsigned long *inodes, size_t count, unsigned long inode)
{
	for (size_t i = 0; i < count; i++)
		if (inodes[i] == inode)
			return true;
	return false;
}

/* The kernel's table as the master sees it: its network may be another one than ours. */
static void read_listeners(struct doctor_facts *facts)
{
	static const char *const tables[] = { "tcp", "tcp6" };
	CLEANUP_FREE unsigned long *inodes = mem_array(MOST_SOCKETS, sizeof(*inodes));
	CLEANUP_FREE struct listener *all = mem_array(MOST_LISTENERS, sizeof(*all));
	size_t inode_count = read_sockets(facts->master, inodes);

	facts->sees_sockets = inode_count > 0;
	for (int v6 = 0; v6 < 2; v6++) {
		CLEANUP_FREE char *path = mem_format("/proc/%d/net/%s", facts->master, tables[v6]);
		CLEANUP_BUF struct buf text = BUF_INIT(SOCKETS_MAX_BYTES);
		struct error ignored = { 0 };
		size_t count;

		if (fileio_read(path, SOCKETS_MAX_BYTES, &text, &ignored) < 0)
			continue;
		count = listeners_parse(buf_text(&text), v6 == 1, all, MOST_LISTENERS);
		for (size_t i = 0; i < count; i++) {
			if (holds(inodes, inode_count, all[i].inode)) {
				if (facts->own_count < MOST_LISTENERS)
					facts->own[facts->own_count++] = all[i];
			} else if (facts->other_count < MOST_LISTENERS) {
				facts->others[facts->other_count++] = all[i];
			}
		}
	}
}

static void read_processes(struct doctor_facts *facts)
{
	int shown;

	facts->master = facts->look.processes.master;
	if (!facts->master && !facts->edge.is_elsewhere)
		facts->stranger = nginx_proc_any_master();
	shown = facts->master ? facts->master : facts->stranger;
	if (!shown || !nginx_proc_title(shown, facts->title, sizeof(facts->title)))
		return;
	if (facts->master) {
		read_users(facts);
		read_listeners(facts);
	}
}

/* ---- the answers ---- */

static void read_targets(struct doctor *doctor)
{
	const struct http_op *http = &doctor->targets;
	struct doctor_facts *facts = &doctor->facts;

	if (http->error.kind)
		facts->targets_error = http->error;
	else if (http->status != 200)
		error_set(&facts->targets_error, ERROR_METRICS, 0,
			"'/api/v1/targets' answers with status %ld", http->status);
	else
		(void)targets_parse(buf_text(&http->body), http->body.length, &facts->targets,
			&facts->targets_error);
}

static void read_output(struct doctor *doctor)
{
	struct doctor_facts *facts = &doctor->facts;
	CLEANUP_BUF struct buf text = BUF_INIT(OUTPUT_MAXIMUM_BYTES);

	if (output_fetch_ended(&doctor->file, &text, &facts->output_exists, &facts->output_error) ==
		0)
		facts->output_has_proof = facts->output_exists &&
					  proof_block_find(buf_text(&text), &facts->output_proof);
}

/* Without a running NGINX `nginx -t` would make its pid and log files, which is a change. */
static bool may_test(const struct doctor_facts *facts)
{
	return facts->master || facts->look.answers || facts->edge.is_elsewhere;
}

static enum task_next everybody_answered(struct task *task)
{
	struct doctor *doctor = doctor_of(task);
	struct doctor_facts *facts = &doctor->facts;
	struct proc_options options = {
		.argv = edge_dump_argv(&facts->edge),
		.timeout_ms = TEST_TIMEOUT_MS,
		.maximum_bytes = DUMP_MAX_BYTES,
	};

	read_processes(facts);
	read_targets(doctor);
	read_output(doctor);
	if (!may_test(facts))
		return task_goto(task, task->step + 1, TASK_MORE);
	facts->was_tested = true;
	if (!options.argv)
		options.argv = facts->edge.test;
	proc_start(&doctor->test, task, &options);
	return TASK_WAIT;
}

/* ---- NGINX's configuration ---- */

static void describe_refusal(const struct doctor *doctor, struct error *err)
{
	char line[512];

	(void)proc_succeeded(&doctor->test, "nginx -t", err);
	if (nginx_output_find(
		    buf_text(&doctor->test.errors), "[emerg]", "", NULL, line, sizeof(line)))
		error_set(err, ERROR_TRAFFIC, 0, "%s", line);
}

static enum task_next configuration_tested(struct task *task)
{
	struct doctor *doctor = doctor_of(task);
	struct doctor_facts *facts = &doctor->facts;
	const struct buf *output = &doctor->test.output;

	if (doctor->test.error.kind || doctor->test.exit_status != 0)
		describe_refusal(doctor, &facts->test_error);
	nginx_output_find(buf_text(&doctor->test.errors), "[warn]", facts->edge.nginx->output, NULL,
		facts->test_warning, sizeof(facts->test_warning));
	buf_add(&facts->dump, buf_text(output), output->length);
	if (facts->test_error.kind || output->overflowed)
		return TASK_MORE;
	survey_make(buf_text(&facts->dump), &facts->survey);
	facts->has_survey = facts->survey.dump.count > 0;
	return TASK_MORE;
}

/* ---- the template at each stage ---- */

static weight_t weight_of(const struct doctor *doctor)
{
	return doctor->stage ? doctor->config->rollout.stages[doctor->stage - 1].weight : 0;
}

static enum task_next render_stage(struct task *task)
{
	struct doctor *doctor = doctor_of(task);
	struct doctor_facts *facts = &doctor->facts;
	CLEANUP_BUF struct buf ignored = BUF_INIT(8192);
	struct error *err = &facts->template_error;
	char generation[GENERATION_SIZE];

	if (doctor->stage > doctor->config->rollout.stage_count || task->is_canceled)
		return TASK_DONE;
	facts->template_weight = weight_of(doctor);
	buf_clear(&doctor->rendered);
	if (generation_make("doctor", generation, err) < 0 ||
		shift_render(&facts->edge, weight_of(doctor), generation, &doctor->rendered,
			&ignored, err) < 0)
		return TASK_DONE;
	/* The stage that tells most: both versions take traffic. */
	if (!facts->rendered.length || (weight_of(doctor) && weight_of(doctor) < WEIGHT_FULL)) {
		buf_clear(&facts->rendered);
		buf_add(&facts->rendered, buf_text(&doctor->rendered), doctor->rendered.length);
	}
	doctor->scratch = (struct scratch){ .edge = &facts->edge, .text = &doctor->rendered };
	scratch_start(&doctor->scratch, task);
	return TASK_WAIT;
}

static enum task_next stage_tested(struct task *task)
{
	struct doctor *doctor = doctor_of(task);

	doctor->facts.template_error = doctor->scratch.error;
	scratch_release(&doctor->scratch);
	if (doctor->facts.template_error.kind)
		return TASK_DONE;
	doctor->stage++;
	return task_goto(task, task->step - 2, TASK_MORE);
}

static const struct task_step look_steps[] = {
	{ "ask everybody", ask_everybody },
	{ "everybody answered", everybody_answered },
	{ "configuration tested", configuration_tested },
	{ "render stage", render_stage },
	{ "stage tested", stage_tested },
	{ 0 },
};

static void on_signal(int signal_number, void *context)
{
	struct doctor *doctor = context;

	doctor->signal_number = signal_number;
	task_cancel(&doctor->task);
}

int doctor_look(struct doctor *doctor)
{
	struct doctor_facts *facts = &doctor->facts;
	struct loop *loop = loop_new();
	struct error err = { 0 };

	facts->config = doctor->config;
	facts->dump.maximum = DUMP_MAX_BYTES;
	facts->rendered.maximum = doctor->rendered.maximum = OUTPUT_MAXIMUM_BYTES;
	if (edge_init(&facts->edge, doctor->config, &err) < 0)
		BUG("a configuration without an NGINX was loaded: %s", err.message);
	loop_watch_signal(loop, SIGINT, on_signal, doctor);
	loop_watch_signal(loop, SIGTERM, on_signal, doctor);
	task_start(&doctor->task, loop, "doctor", look_steps);
	loop_run(loop, &doctor->task);
	loop_free(loop);
	facts->has_upstreams =
		facts->rendered.length &&
		upstreams_examine(doctor->config->nginx.template_path, buf_text(&facts->rendered),
			doctor->config->production.server, &facts->upstreams, &err) == 0;
	doctor->has_looked = true;
	return doctor->signal_number;
}
