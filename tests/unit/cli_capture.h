/* Runs the whole program in this process and keeps what it prints. Include test.h first. */
#ifndef CANARYCTL_TESTS_CLI_CAPTURE_H
#define CANARYCTL_TESTS_CLI_CAPTURE_H

#include "canaryctl/buf.h"
#include "canaryctl/cli.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS_MAX = 8 };

struct cli_outcome {
	int status;
	struct buf out;
	struct buf err;
};

/* A stream that goes into memory for a while. */
struct capture {
	FILE *stream;
	int kept;   /* where it went before */
	int memory; /* where it goes now */
};

static inline void capture_start(struct capture *capture, FILE *stream)
{
	capture->stream = stream;
	fflush(stream);
	capture->kept = dup(fileno(stream));
	capture->memory = memfd_create("capture", MFD_CLOEXEC);
	assert_true(capture->kept >= 0 && capture->memory >= 0);
	dup2(capture->memory, fileno(stream));
}

static inline void capture_end(struct capture *capture, struct buf *ret_text)
{
	char chunk[4096];
	ssize_t length;

	fflush(capture->stream);
	dup2(capture->kept, fileno(capture->stream));
	close(capture->kept);
	lseek(capture->memory, 0, SEEK_SET);
	while ((length = read(capture->memory, chunk, sizeof(chunk))) > 0)
		buf_add(ret_text, chunk, (size_t)length);
	close(capture->memory);
}

static inline void cli_capture(const char *const *words, struct cli_outcome *ret_outcome)
{
	struct capture out, err;
	char *argv[WORDS_MAX + 2] = { (char *)"canaryctl" };
	int argc = 1;

	for (; argc <= WORDS_MAX && words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	*ret_outcome = (struct cli_outcome){ 0 };
	capture_start(&out, stdout);
	capture_start(&err, stderr);
	ret_outcome->status = cli_main(argc, argv);
	capture_end(&err, &ret_outcome->err);
	capture_end(&out, &ret_outcome->out);
}

static inline void cli_outcome_release(struct cli_outcome *outcome)
{
	buf_release(&outcome->out);
	buf_release(&outcome->err);
}

#endif
