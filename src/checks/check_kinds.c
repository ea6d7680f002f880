/*
 * All kinds of check, and the rules that several of them share.
 *
 * To add a kind: write one file check_<kind>.c and add one row here and one line in
 * check_kinds.h. The file holds, in this order:
 *	- the struct of its parameters and the schema rows that fill it: with them the parser,
 *	  `config show`, docs/configuration.md and completion know the kind
 *	- its steps (task.h): ask for something, wait, fill run->measurement, end with
 *	  measure_end(). Only measure; what the measurement means is check_judge()'s alone.
 *	  Set measured, has_value/value, has_samples, and call measurement_apply_conditions()
 *	- start() and release(), which own run->state; the struct check_kind at the end
 * A unit test per pure part, and a scenario in tests/e2e, are files of their own.
 */
#include "checks/check_kinds.h"

const struct check_kind *const check_kinds[] = {
	&check_kind_ratio,
	&check_kind_latency,
	&check_kind_compare,
	&check_kind_prometheus,
	&check_kind_http,
	&check_kind_log,
	&check_kind_command,
	&check_kind_file,
	&check_kind_env_file,
	&check_kind_yaml,
	&check_kind_git,
	&check_kind_gpu,
	NULL,
};

int check_validate_judged(const struct check_config *check, struct error *err)
{
	if (check->require.text || check->prefer.text || check->critical.text)
		return 0;
	error_set(err, ERROR_CONFIG, 0, "check '%s' has no condition: it could never fail",
		check->name);
	return error_hint(err, "add for example  require: \"< 0.5%%\"");
}

int check_validate_no_baseline(const struct check_config *check, struct error *err)
{
	const struct condition *all[] = { &check->require, &check->prefer, &check->critical };

	for (size_t i = 0; i < 3; i++) {
		if (!all[i]->text || !all[i]->uses_baseline)
			continue;
		error_set(err, ERROR_CONFIG, 0,
			"condition '%s' of check '%s' compares with a baseline, which kind '%s' "
			"does not have",
			all[i]->text, check->name, check->kind->name);
		return error_hint(err, "use kind 'prometheus' with query and baseline");
	}
	return 0;
}

int check_validate_counting(const struct check_config *check, struct error *err)
{
	if (check_validate_judged(check, err) || check_validate_no_baseline(check, err))
		return -1;
	if (!check->min_samples_query)
		return 0;
	error_set(err, ERROR_CONFIG, 0,
		"check '%s' counts its requests itself: min_samples is a number here", check->name);
	return error_hint(err, "write  min_samples: %.0f", check->min_samples);
}

int check_validate_once(const struct check_config *check, struct error *err)
{
	if (check_validate_no_baseline(check, err) < 0)
		return -1;
	if (check->min_samples > 0 || check->min_samples_query)
		return error_set(err, ERROR_CONFIG, 0,
			"check '%s' looks once: min_samples has no meaning", check->name);
	return 0;
}

int check_validate_no_condition(const struct check_config *check, struct error *err)
{
	if (check_validate_once(check, err) < 0)
		return -1;
	if (!check->require.text && !check->prefer.text && !check->critical.text)
		return 0;
	return error_set(err, ERROR_CONFIG, 0,
		"check '%s' has no number: kind '%s' takes no require, prefer or critical",
		check->name, check->kind->name);
}
