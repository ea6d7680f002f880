/*
 * The proof that a configuration is in force: every accepting worker is younger than the reload
 * and their number is right (where /proc shows them), fresh connections get the wanted answer and
 * no other, and the master has not complained in its log. A reload that "succeeded" proves none
 * of it.
 */
#ifndef CANARYCTL_TRAFFIC_PROOF_H
#define CANARYCTL_TRAFFIC_PROOF_H

#include "traffic/nginx_log.h"
#include "traffic/nginx_proc.h"
#include "traffic/probe.h"

#include "canaryctl/task.h"

#include <stdbool.h>
#include <stdint.h>

/* Zeroed by the caller but for the inputs; kept alive until the task is done. */
struct proof {
	struct task task;
	/* Inputs. */
	const char *url;
	const char *generation; /* wanted; NULL: nobody may answer with `unwanted` */
	const char *unwanted;
	const struct nginx_processes *before; /* the reload */
	int64_t reload_ticks;                 /* 0: NGINX was told nothing, so nobody need be new */
	int64_t unchanged_ms; /* the workers of before will do after so long; 0: never */
	int64_t timeout_ms;
	struct nginx_log *log; /* may be NULL */
	/* Results. */
	bool is_proven;
	bool master_complained;
	struct error error;
	struct proof_answer answer; /* the last one */
	int answers;
	struct nginx_processes processes;
	/* Private. */
	struct probe probe;
	struct sleep_op pause;
	int64_t started_ms;
	int64_t last_bad_ms; /* an answer that is not wanted, or none */
	int64_t in_order_ms; /* since when the processes are as they should be; -1: they are not */
	int64_t unchanged_since_ms; /* -1: they are not */
	int expected_workers;       /* 0: as many as before */
	bool expected_is_guess;
	int good;
	int bad;
};

void proof_start(struct proof *proof, struct task *parent);

#endif
