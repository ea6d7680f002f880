/* A look at what is in force now: some answers of the proof address, and NGINX's processes. */
#ifndef CANARYCTL_TRAFFIC_LOOK_H
#define CANARYCTL_TRAFFIC_LOOK_H

#include "traffic/nginx_proc.h"
#include "traffic/probe.h"

#include "canaryctl/task.h"

#include <stdbool.h>

/* Zeroed by the caller but for the inputs; kept alive until the task is done. */
struct look {
	struct task task;
	/* Inputs. */
	const char *url;
	const char *config_path; /* of the NGINX that is meant, when nobody answers; NULL: no -c */
	bool is_elsewhere;       /* in a container: when nobody answers, do not search here */
	/* Results. */
	int answers;
	bool agree;                 /* all answers had one generation and weight */
	struct proof_answer answer; /* the last one */
	bool is_braked;             /* all of them said so */
	int foreign;
	int broken;
	char oddity[sizeof(((struct probe *)0)->oddity)]; /* of those two */
	struct nginx_processes processes;
	/* Private. */
	struct probe probe;
};

void look_start(struct look *look, struct task *parent);

#endif
