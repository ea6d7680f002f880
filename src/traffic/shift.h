/*
 * A shift: from the template to weights that are proven to be in force, and the whole way back
 * when any step fails. It cannot be canceled: half a shift is no place for traffic.
 */
#ifndef CANARYCTL_TRAFFIC_SHIFT_H
#define CANARYCTL_TRAFFIC_SHIFT_H

#include "traffic/edge.h"
#include "traffic/look.h"
#include "traffic/nginx_log.h"
#include "traffic/output_file.h"
#include "traffic/proof.h"
#include "traffic/scratch.h"

#include "canaryctl/traffic.h"

/* Zeroed by the caller but for the inputs; kept alive until the task is done. */
struct shift {
	struct task task;
	/* Inputs. */
	struct edge *edge;
	weight_t canary;
	const char *rollout;
	bool may_be_there; /* when this weight is in force and proven already, that will do */
	/* Results. PROVEN, UNDONE or LOST; UNDONE when nothing was changed, too. */
	enum traffic_outcome outcome;
	struct error error;
	struct traffic_state state;
	struct buf notes;
	/* Private. */
	struct buf text;
	struct buf old;
	bool had_old;
	char generation[GENERATION_SIZE];
	char old_generation[GENERATION_SIZE]; /* "": NGINX did not tell */
	struct error render_error;
	struct error undo_error;
	struct look look;
	struct scratch scratch;
	struct output_file file;
	struct proc_op command;
	struct nginx_log log;
	struct nginx_processes before;
	struct proof proof;
	struct sleep_op pause;
	bool nginx_was_told;
	bool old_is_back;
};

void shift_start(struct shift *shift, struct task *parent);
void shift_release(struct shift *shift);

/* The template as it renders at a weight; for a shift and for its rehearsal. */
int shift_render(struct edge *edge, weight_t canary, const char *generation, struct buf *ret_text,
	struct buf *notes, struct error *err);

/* Is NGINX there to be shifted, and the proof's port free or its own? */
int shift_check_reachable(const struct edge *edge, const struct look *look, struct error *err);

#endif
