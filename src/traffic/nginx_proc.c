/* NGINX in /proc: see nginx_proc.h. Every read is bounded; processes may vanish at any time. */
#include "traffic/nginx_proc.h"
#include "traffic/nginx_text.h"

#include "canaryctl/buf.h"
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char worker_title[] = "nginx: worker process";
static const char master_title[] = "nginx: master process";

/* A small file of /proc as text; false when it is not there. */
static bool read_proc(int pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	return true;
}

/* The title that NGINX gives itself; arguments of others come separated by NUL. */
static bool read_title(int pid, char *title, size_t size)
{
	return read_proc(pid, "cmdline", title, size);
}

static bool has_title(int pid, const char *wanted)
{
	char title[256];

	return read_title(pid, title, sizeof(title)) && strncmp(title, wanted, strlen(wanted)) == 0;
}

/* Parent and start time; the name in parentheses may hold anything. */
static bool read_stat(int pid, int *ret_parent, int64_t *ret_start_ticks)
{
	char text[1024];
	char *field, *end;

	if (!read_proc(pid, "stat", text, sizeof(text)))
		return false;
	field = strrchr(text, ')');
	if (!field || strlen(field) < 4)
		return false;
	field += 4; /* ") S " */
	*ret_parent = (int)strtol(field, &end, 10);
	for (int i = 4; i < 21; i++) {
		end = strchr(end + (*end == ' '), ' ');
		if (!end)
			return false;
	}
	*ret_start_ticks = strtoll(end, NULL, 10);
	return true;
}

/* A pid that a process told us is only the one that /proc shows when both count alike. */
static bool is_in_our_namespace(int pid)
{
	char status[4096], wanted[48];
	const char *line;

	if (!read_proc(pid, "status", status, sizeof(status)))
		return false;
	line = strstr(status, "\nNSpid:");
	if (!line)
		return true;
	snprintf(wanted, sizeof(wanted), "\nNSpid:\t%d\n", pid);
	return strncmp(line, wanted, strlen(wanted)) == 0;
}

int nginx_proc_master_of(int worker_pid)
{
	int64_t start;
	int parent;

	if (worker_pid <= 1 || !has_title(worker_pid, worker_title) ||
		!is_in_our_namespace(worker_pid) || !read_stat(worker_pid, &parent, &start))
		return 0;
	return has_title(parent, master_title) ? parent : 0;
}

bool nginx_title_option(const char *title, const char *option, char *ret_value, size_t size)
{
	char wanted[8];
	const char *found;

	snprintf(wanted, sizeof(wanted), " %s ", option);
	found = strstr(title, wanted);
	if (!found)
		return false;
	found += strlen(wanted);
	snprintf(ret_value, size, "%.*s", (int)strcspn(found, " "), found);
	return true;
}

static bool was_started_with(const char *title, const char *config_path)
{
	char value[1024];

	if (!nginx_title_option(title, "-c", value, sizeof(value)))
		return !config_path;
	return config_path && strcmp(value, config_path) == 0;
}

/* Counts the masters that `config_path` fits, or all with any_config, and keeps the last. */
static int count_masters(bool any_config, const char *config_path, int *ret_master)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	char title[2048];
	int count = 0;

	*ret_master = 0;
	while (folder && (entry = readdir(folder))) {
		int pid = (int)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || !read_title(pid, title, sizeof(title)) ||
			strncmp(title, master_title, strlen(master_title)) != 0)
			continue;
		if (!any_config && !was_started_with(title, config_path))
			continue;
		*ret_master = pid;
		count++;
	}
	if (folder)
		closedir(folder);
	return count;
}

int nginx_proc_find_master(const char *config_path)
{
	int master;

	return count_masters(false, config_path, &master) == 1 ? master : 0;
}

int nginx_proc_any_master(void)
{
	int master;

	count_masters(true, NULL, &master);
	return master;
}

bool nginx_proc_shows_any(void)
{
	return nginx_proc_any_master() != 0;
}

bool nginx_proc_title(int master, char *ret_title, size_t size)
{
	return read_title(master, ret_title, size) &&
	       strncmp(ret_title, master_title, strlen(master_title)) == 0;
}

static void add_worker(struct nginx_processes *processes, int pid)
{
	struct nginx_worker *worker = &processes->workers[processes->count];
	char title[256];
	int parent;

	if (processes->count == NGINX_MAX_WORKERS || !read_title(pid, title, sizeof(title)) ||
		strncmp(title, worker_title, strlen(worker_title)) != 0 ||
		!read_stat(pid, &parent, &worker->start_ticks) || parent != processes->master)
		return;
	worker->pid = pid;
	worker->is_draining = strstr(title, "is shutting down") != NULL;
	processes->draining += worker->is_draining;
	processes->accepting += !worker->is_draining;
	processes->count++;
}

static void add_workers_of_all(struct nginx_processes *processes)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		int pid = (int)strtol(entry->d_name, NULL, 10);

		if (pid > 0)
			add_worker(processes, pid);
	}
	if (folder)
		closedir(folder);
}

bool nginx_proc_read(int master, struct nginx_processes *ret_processes)
{
	char name[48], children[NGINX_MAX_WORKERS * 12];
	char *next = children;

	ret_processes->master = 0;
	ret_processes->accepting = ret_processes->draining = ret_processes->count = 0;
	if (master <= 0 || !has_title(master, master_title))
		return false;
	ret_processes->master = master;
	snprintf(name, sizeof(name), "task/%d/children", master);
	if (!read_proc(master, name, children, sizeof(children))) {
		/* Kernels without that list, or no children at the moment. */
		add_workers_of_all(ret_processes);
		return true;
	}
	while (*next >= '0' && *next <= '9') {
		add_worker(ret_processes, (int)strtol(next, &next, 10));
		next += strspn(next, " ");
	}
	return true;
}

/* The main configuration file as the master sees it; false when its place is not certain. */
static bool find_config(int master, char *path, size_t size)
{
	char title[2048], config[1024] = "/etc/nginx/nginx.conf";

	if (!read_title(master, title, sizeof(title)) || strstr(title, "worker_processes"))
		return false;
	nginx_title_option(title, "-c", config, sizeof(config));
	if (config[0] != '/')
		return false;
	snprintf(path, size, "/proc/%d/root%s", master, config);
	return true;
}

static int worker_number(const struct nginx_statement *statement, bool *ret_is_guess)
{
	long number;

	*ret_is_guess = nginx_word_is(statement, 1, "auto");
	if (*ret_is_guess)
		return (int)sysconf(_SC_NPROCESSORS_ONLN);
	number = strtol(statement->words[1].start, NULL, 10);
	return number > 0 && number <= NGINX_MAX_WORKERS ? (int)number : 0;
}

int nginx_proc_expected_workers(int master, bool *ret_is_guess)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct nginx_reader reader = { .line = 1 };
	struct nginx_statement statement;
	struct error err = { 0 };
	char path[1200];
	int depth = 0;
	bool includes_more = false;

	*ret_is_guess = false;
	if (!find_config(master, path, sizeof(path)) || fileio_read(path, 1 << 20, &text, &err) < 0)
		return 0;
	reader.next = buf_text(&text);
	for (;;) {
		switch (nginx_read_statement(&reader, &statement)) {
		case NGINX_BLOCK:
			depth++;
			break;
		case NGINX_BLOCK_END:
			depth--;
			break;
		case NGINX_DIRECTIVE:
			if (depth == 0 && nginx_word_is(&statement, 0, "worker_processes") &&
				statement.count == 2)
				return worker_number(&statement, ret_is_guess);
			if (depth == 0 && nginx_word_is(&statement, 0, "include"))
				includes_more = true;
			break;
		case NGINX_TEXT_END:
			return includes_more ? 0 : 1;
		case NGINX_TEXT_BROKEN:
			return 0;
		}
	}
}

int64_t nginx_proc_ticks(int64_t boot_ms)
{
	return boot_ms * sysconf(_SC_CLK_TCK) / 1000;
}

static bool holds(const struct nginx_processes *processes, const struct nginx_worker *worker)
{
	for (int i = 0; i < processes->count; i++)
		if (processes->workers[i].pid == worker->pid &&
			processes->workers[i].start_ticks == worker->start_ticks &&
			!processes->workers[i].is_draining)
			return true;
	return false;
}

bool nginx_workers_are_younger(
	const struct nginx_processes *now, int64_t ticks, const struct nginx_processes *before)
{
	for (int i = 0; i < now->count; i++) {
		const struct nginx_worker *worker = &now->workers[i];

		if (!worker->is_draining && (worker->start_ticks < ticks || holds(before, worker)))
			return false;
	}
	return now->accepting > 0;
}

bool nginx_workers_are_same(const struct nginx_processes *now, const struct nginx_processes *before)
{
	if (now->master != before->master || now->accepting != before->accepting)
		return false;
	for (int i = 0; i < now->count; i++)
		if (!now->workers[i].is_draining && !holds(before, &now->workers[i]))
			return false;
	return now->accepting > 0;
}
