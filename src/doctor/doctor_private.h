/* A doctor: what it is doing, and what it has seen. Only for doctor/. */
#ifndef DOCTOR_DOCTOR_PRIVATE_H
#define DOCTOR_DOCTOR_PRIVATE_H

#include "canaryctl/doctor.h"

#include "doctor/facts.h"

#include "canaryctl/prom.h"
#include "traffic/output_file.h"
#include "traffic/scratch.h"

struct doctor {
	const struct config *config;
	struct arena arena;
	struct suite_config suite;
	struct doctor_facts facts;
	bool has_looked;
	/* While it looks. */
	struct task task;
	int signal_number;
	struct task clock; /* a child of its own: what it measures must not wait for others */
	struct prom_query clock_query;
	int64_t clock_asked_ms; /* wall */
	const struct check_config **checks;
	struct http_op targets;
	struct output_file file;
	struct proc_op test;
	struct scratch scratch;
	struct buf rendered;
	size_t stage; /* being rendered: 0 is 0 %, then the stages */
};

#endif
