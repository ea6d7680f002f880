/* file: existence, SHA-256, manifests, content, age. */
#include "suite_fixture.h"

#include "checks/digest.h"

#include <sys/time.h>

#define SHA_HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* "hello" */
#define SHA_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_existence(void **state)
{
	(void)state;
	suite_write("a", "hello");
	assert_verdict("file: {path: a}", CHECK_PASS, "is as it must be");
	assert_verdict("file: {path: missing}", CHECK_FAIL, "missing' is not there");
	assert_verdict("file: {path: missing, exists: false}", CHECK_PASS, "not there");
	assert_verdict("file: {path: a, exists: false}", CHECK_FAIL, "must not be");
	assert_verdict("file: {path: a/b}", CHECK_FAIL, "is not there");
}

static void test_sha256(void **state)
{
	(void)state;
	suite_write("a", "hello");
	suite_write("empty", "");
	assert_verdict("file: {path: a, sha256: " SHA_HELLO "}", CHECK_PASS, "right SHA-256");
	assert_verdict("file: {path: empty, sha256: " SHA_EMPTY "}", CHECK_PASS, "right SHA-256");
	assert_verdict("file: {path: a, sha256: " SHA_EMPTY "}", CHECK_FAIL, "another SHA-256");
	assert_refused("file: {path: a, sha256: 123}", "64 hexadecimal digits");
	assert_refused("file: {path: a, sha256: " SHA_HELLO ", manifest: m}", "keep one");
}

/* Larger than what is read in one step. */
static void test_large_file(void **state)
{
	FILE *file = fopen("large", "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), 20 << 20), 0);
	fclose(file);
	assert_verdict("file: {path: large, sha256: "
		       "bcb3d7db8ebdbd69aa2e1ebcc3a53d67e1d20cccb4eb94a4e9eff1e1a9f10a7c}",
		CHECK_FAIL, "another SHA-256");
}

static void test_manifest(void **state)
{
	(void)state;
	mkdir("d", 0700);
	suite_write("d/a", "hello");
	suite_write("d/b", "");
	suite_write("d/SUMS", SHA_HELLO "  a\n" SHA_EMPTY " *b\n");
	assert_verdict("file: {manifest: d/SUMS}", CHECK_PASS, "2 files with the right SHA-256");
	assert_verdict("file: {manifest: d/SUMS, path: d}", CHECK_PASS, "2 files");
	assert_verdict("file: {manifest: d/SUMS, path: d/b}", CHECK_PASS, "1 file with");
	assert_verdict("file: {manifest: d/SUMS, path: c.yaml}", CHECK_FAIL, "does not list");
	suite_write("d/b", "changed");
	assert_verdict("file: {manifest: d/SUMS}", CHECK_FAIL, "'b' has another SHA-256");
	assert_verdict("file: {manifest: d/SUMS, path: d/a}", CHECK_PASS, "1 file with");
	unlink("d/a");
	assert_verdict("file: {manifest: d/SUMS}", CHECK_FAIL, "'a' is not there; 'b' has another");
	assert_verdict("file: {manifest: none}", CHECK_FAIL, "none");
	suite_write("d/SUMS", "");
	assert_verdict("file: {manifest: d/SUMS}", CHECK_ERROR, "lists no file");
	suite_write("d/SUMS", "hello\n");
	assert_verdict("file: {manifest: d/SUMS}", CHECK_ERROR, "line 1 is not");
}

static void test_escaped_names(void **state)
{
	struct manifest manifest = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(manifest_parse(&manifest, "\\" SHA_HELLO "  a\\nb\\\\c\r\n", &err), 0);
	assert_int_equal(manifest.count, 1);
	assert_string_equal(manifest.lines[0].name, "a\nb\\c");
	manifest_release(&manifest);
}

static void test_contains_and_age(void **state)
{
	const struct timeval old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	(void)state;
	suite_write("a", "Rollback: see there\n");
	assert_verdict("file: {path: a, contains: [Rollback, there], max_age: 1h}", CHECK_PASS, "");
	assert_verdict("file: {path: a, contains: [Rollback, Scaling]}", CHECK_FAIL,
		"does not contain 'Scaling'");
	assert_int_equal(utimes("a", old), 0);
	assert_verdict("file: {path: a, max_age: 1h}", CHECK_FAIL, "max_age is 1h");
	assert_refused("file: {path: a, exists: false, contains: [x]}", "wants no file");
}

/* Neither a folder nor something that never ends. */
static void test_odd_files(void **state)
{
	(void)state;
	mkdir("folder", 0700);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_verdict(
		"file: {path: folder, sha256: " SHA_EMPTY "}", CHECK_FAIL, "no regular file");
	assert_verdict("file: {path: fifo, sha256: " SHA_EMPTY "}", CHECK_FAIL, "no regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_existence),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_large_file),
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_escaped_names),
		cmocka_unit_test(test_contains_and_age),
		cmocka_unit_test(test_odd_files),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
