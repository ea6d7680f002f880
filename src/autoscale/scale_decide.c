/*
 * The decision, pure: should there be more or fewer, and if so, may it be done now? A direction is
 * wanted only when every sample that is due within its time is there and meets its condition.
 * Missing samples and NaN never do, and never count as the opposite either.
 */
#include "canaryctl/autoscale.h"
#include "canaryctl/check.h"
#include "canaryctl/duration.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Does a condition hold throughout its time? */
enum holding { HOLDS, HOLDS_NOT, HOLDS_UNKNOWN };

struct window {
	enum holding holding;
	size_t due;     /* samples that should be there */
	size_t present; /* that are, and are numbers */
	double held_s;  /* up to now, without a break */
	double latest;  /* the newest value; NaN: there is none */
	double highest;
};

/* One decision being made. */
struct deciding {
	const struct scale_rule *rule;
	const struct scale_facts *facts;
	struct scale_decision *decision;
	struct window up, down;
};

static const char *const action_names[SCALE_ACTION_COUNT] = {
	[SCALE_HOLD] = "hold",
	[SCALE_UP] = "up",
	[SCALE_DOWN] = "down",
};

const char *scale_action_name(enum scale_action action)
{
	return (unsigned)action < SCALE_ACTION_COUNT ? action_names[action] : "unknown";
}

/* ---- samples ---- */

static struct window look_back(const struct scale_side *side, const struct scale_facts *facts)
{
	double length_s = (double)side->for_ms / 1000, slack_s = facts->step_s / 10;
	struct window window = {
		.due = (size_t)(length_s / facts->step_s + 1e-6) + 1,
		.latest = NAN,
		.highest = -INFINITY,
	};
	bool is_held = true, all_held = true;

	for (size_t i = facts->sample_count; i > 0; i--) {
		const struct prom_sample *sample = &facts->samples[i - 1];
		double age_s = facts->until_s - sample->time;
		bool holds =
			isfinite(sample->value) && condition_holds(&side->when, sample->value, 0);

		/* A sample of the future is no evidence. */
		if (age_s < -slack_s || age_s > length_s + slack_s)
			continue;
		if (isfinite(sample->value)) {
			window.present++;
			all_held = all_held && holds;
			window.highest = fmax(window.highest, sample->value);
		}
		if (age_s <= slack_s)
			window.latest = isfinite(sample->value) ? sample->value : (double)NAN;
		is_held = is_held && holds;
		if (is_held)
			window.held_s = fmax(age_s, 0);
	}
	if (isnan(window.latest))
		window.holding = HOLDS_UNKNOWN;
	else if (!all_held)
		window.holding = HOLDS_NOT;
	else
		window.holding = window.present >= window.due ? HOLDS : HOLDS_UNKNOWN;
	return window;
}

/* In the words of the condition: "87%" when that is in percent. */
static const char *show(const struct scale_side *side, double value, char *text)
{
	bool is_share = side->when.text && strchr(side->when.text, '%');

	return check_format_value(is_share ? UNIT_SHARE : UNIT_PLAIN, value, text);
}

/* ---- what can come of it ---- */

static void say(struct deciding *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct deciding *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(d->decision->reason, sizeof(d->decision->reason), format, args);
	va_end(args);
}

/* Puts what keeps it from being done behind what was wanted. */
static void hold_because(struct deciding *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void hold_because(struct deciding *d, const char *format, ...)
{
	struct scale_decision *decision = d->decision;
	size_t used = strlen(decision->reason);
	va_list args;

	used += (size_t)snprintf(
		decision->reason + used, sizeof(decision->reason) - used, "; but ");
	va_start(args, format);
	if (used < sizeof(decision->reason))
		vsnprintf(decision->reason + used, sizeof(decision->reason) - used, format, args);
	va_end(args);
	decision->action = SCALE_HOLD;
	decision->to = d->facts->replicas;
}

static const struct scale_side *side_of(const struct scale_rule *rule, enum scale_action action)
{
	return action == SCALE_UP ? &rule->up : &rule->down;
}

/*
 * Holds until enough time has passed since the last scaling. At least `for`: what was measured
 * before it says nothing about the number that runs now.
 */
static void let_cool_down(struct deciding *d)
{
	const struct scale_memory *memory = &d->facts->memory;
	const struct scale_side *side = side_of(d->rule, d->decision->action);
	int64_t wait_ms = side->cooldown_ms > side->for_ms ? side->cooldown_ms : side->for_ms;
	int64_t since_ms = d->facts->now_ms - memory->at_ms;
	char left[DURATION_TEXT_SIZE];

	if (memory->state == SCALE_NEVER || (memory->state != SCALE_LOST && since_ms >= wait_ms))
		return;
	if (memory->state == SCALE_LOST) {
		d->decision->needs_person = true;
		hold_because(d, "when it last scaled cannot be read");
		return;
	}
	if (since_ms < 0) {
		d->decision->needs_person = true;
		hold_because(d, "it last scaled in the future: has the clock been changed?");
		return;
	}
	/* Whole seconds, and never "0s". */
	duration_format((wait_ms - since_ms + 999) / 1000 * 1000, left);
	if (memory->state == SCALE_SINCE) {
		hold_because(d, "it is not known what was scaled before: waits %s more", left);
	} else if (memory->has_failed) {
		d->decision->needs_person = true;
		hold_because(d, "the last try to scale it %s failed: tries again in %s",
			scale_action_name(memory->action), left);
	} else {
		hold_because(d, "it was scaled %s: cools down for %s more",
			scale_action_name(memory->action), left);
	}
}

/*
 * With fewer instances each does more: would what was measured, shared among them, at once ask for
 * more again? (A metric that does not grow with that is held back a little too much; one that falls
 * with the load, such as what is free, cannot be foretold.)
 */
static bool would_come_back(const struct deciding *d)
{
	const struct condition *up = &d->rule->up.when;
	double share = d->decision->to ? (double)d->facts->replicas / (double)d->decision->to
				       : (double)INFINITY;
	double highest = d->down.highest;

	if ((up->op != CONDITION_GREATER && up->op != CONDITION_AT_LEAST) || !(highest > 0))
		return false;
	return condition_holds(up, highest * share, 0) || isinf(highest * share);
}

/* The reason so far says why it is wanted. */
static void scale(struct deciding *d, enum scale_action action, int64_t to)
{
	d->decision->action = action;
	d->decision->to = to;
	if (action == SCALE_UP && d->facts->block) {
		d->decision->needs_person = true;
		d->decision->is_blocked = true;
		hold_because(d, "blocked by %.300s", d->facts->block);
	} else if (action == SCALE_DOWN && d->facts->rollout_runs) {
		hold_because(d, "a rollout runs");
	} else {
		let_cool_down(d);
	}
}

static void want_up(struct deciding *d)
{
	const struct scale_rule *rule = d->rule;
	int64_t replicas = d->facts->replicas;
	char value[CHECK_VALUE_TEXT_SIZE], time[DURATION_TEXT_SIZE];

	say(d, "%s, and %s for %s", show(&rule->up, d->up.latest, value), rule->up.when.text,
		duration_format(rule->up.for_ms, time));
	if (replicas >= rule->max) {
		d->decision->needs_person = true;
		hold_because(d, "%s max, which is %" PRId64,
			replicas > rule->max ? "already above" : "already at", rule->max);
		return;
	}
	scale(d, SCALE_UP,
		replicas + rule->up.step < rule->max ? replicas + rule->up.step : rule->max);
}

static void want_down(struct deciding *d)
{
	const struct scale_rule *rule = d->rule;
	int64_t replicas = d->facts->replicas;
	char value[CHECK_VALUE_TEXT_SIZE], time[DURATION_TEXT_SIZE];

	say(d, "%s, and %s for %s", show(&rule->down, d->down.latest, value), rule->down.when.text,
		duration_format(rule->down.for_ms, time));
	if (replicas <= rule->min) {
		hold_because(d, "already at min, which is %" PRId64, rule->min);
		return;
	}
	scale(d, SCALE_DOWN,
		replicas - rule->down.step > rule->min ? replicas - rule->down.step : rule->min);
	if (d->decision->action != SCALE_DOWN || !would_come_back(d))
		return;
	if (d->decision->to)
		hold_because(d, "with %" PRId64 " it could be up to %s, which is %s",
			d->decision->to,
			show(&rule->up,
				d->down.highest * (double)replicas / (double)d->decision->to,
				value),
			rule->up.when.text);
	else
		hold_because(d, "none would be left to do it");
}

/* Somebody scaled by hand, or something died. */
static void want_limits(struct deciding *d)
{
	const struct scale_rule *rule = d->rule;
	int64_t replicas = d->facts->replicas;

	if (replicas < rule->min) {
		say(d, "%" PRId64 " is below min, which is %" PRId64, replicas, rule->min);
		scale(d, SCALE_UP, rule->min);
		return;
	}
	say(d, "%" PRId64 " is above max, which is %" PRId64, replicas, rule->max);
	scale(d, SCALE_DOWN, rule->max);
}

static void say_incomplete(struct deciding *d, const struct window *window, const char *what)
{
	d->decision->needs_person = true;
	if (isnan(window->latest))
		say(d, "the metric has no value now: nothing is scaled on that");
	else
		say(d, "%s, but %zu of %zu samples are missing: nothing is scaled on that", what,
			window->due - window->present, window->due);
}

static void want_nothing(struct deciding *d)
{
	const struct scale_rule *rule = d->rule;
	const struct scale_side *side = d->up.held_s > 0     ? &rule->up
					: d->down.held_s > 0 ? &rule->down
							     : NULL;
	char value[CHECK_VALUE_TEXT_SIZE], held[DURATION_TEXT_SIZE], time[DURATION_TEXT_SIZE];

	if (side)
		say(d, "%s is %s, for %s of %s", show(side, d->up.latest, value), side->when.text,
			duration_format(
				(int64_t)((side == &rule->up ? d->up : d->down).held_s) * 1000,
				held),
			duration_format(side->for_ms, time));
	else
		say(d, "%s: neither %s nor %s for long enough",
			show(&rule->up, d->up.latest, value), rule->up.when.text,
			rule->down.when.text);
}

static void decide_on_metric(struct deciding *d)
{
	if (d->up.holding == HOLDS)
		want_up(d);
	else if (d->up.holding == HOLDS_UNKNOWN)
		say_incomplete(d, &d->up, d->rule->up.when.text);
	else if (d->down.holding == HOLDS)
		want_down(d);
	else if (d->down.holding == HOLDS_UNKNOWN)
		say_incomplete(d, &d->down, d->rule->down.when.text);
	else
		want_nothing(d);
}

void scale_decide(const struct scale_rule *rule, const struct scale_facts *facts,
	struct scale_decision *ret_decision)
{
	struct deciding d = { .rule = rule, .facts = facts, .decision = ret_decision };

	*ret_decision = (struct scale_decision){
		.action = SCALE_HOLD,
		.to = facts->replicas_known ? facts->replicas : -1,
	};
	if (!facts->replicas_known) {
		ret_decision->needs_person = true;
		say(&d, "%.400s", facts->unknown ? facts->unknown : "the number is not known");
		return;
	}
	if (facts->replicas < rule->min) {
		want_limits(&d);
		return;
	}
	if (!facts->metric_known) {
		ret_decision->needs_person = true;
		say(&d, "%.400s", facts->unknown ? facts->unknown : "the metric is not known");
		return;
	}
	d.up = look_back(&rule->up, facts);
	d.down = look_back(&rule->down, facts);
	/* Too many, and the load does not ask for them. */
	if (facts->replicas > rule->max && d.up.holding == HOLDS_NOT)
		want_limits(&d);
	else
		decide_on_metric(&d);
}
