/* refapp: the application that the demo and the tests roll out. Built here, never installed. */
#include "canaryctl/error.h"
#include "refapp/app.h"
#include "refapp/options.h"
#include "refapp/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_USAGE = 64, EXIT_UNAVAILABLE = 69, EXIT_CONFIG = 78 };

/* SIGTERM and SIGINT as something to poll for. */
static int open_stop_fd(struct error *err)
{
	sigset_t signals;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_set(err, ERROR_IO, errno, "cannot watch for signals");
	return fd;
}

static int serve(struct app *app, int stop_fd, struct error *err)
{
	struct server *server = server_open(app, err);
	int result;

	if (!server)
		return -1;
	printf("listening on %s:%u\n", app->options->address, server_port(server));
	fflush(stdout);
	result = server_run(server, stop_fd, err);
	server_close(server);
	return result;
}

static int run(const struct options *options, struct error *err)
{
	struct app app = { 0 };
	int stop_fd = open_stop_fd(err);
	int result = -1;

	if (stop_fd < 0)
		return -1;
	if (app_open(&app, options, err) == 0) {
		result = serve(&app, stop_fd, err);
		app_close(&app);
	}
	close(stop_fd);
	return result;
}

int main(int argc, char *argv[])
{
	struct options options;
	struct error err = { 0 };

	if (options_parse(&options, argc, argv, &err) == 0) {
		if (options.help) {
			options_print_help();
			return EXIT_DONE;
		}
		if (run(&options, &err) == 0)
			return EXIT_DONE;
	}
	fprintf(stderr, "refapp: %s\n", err.message);
	if (err.kind != ERROR_USAGE)
		return err.kind == ERROR_CONFIG ? EXIT_CONFIG : EXIT_UNAVAILABLE;
	fprintf(stderr, "refapp: %s\n", *err.hint ? err.hint : "see refapp --help");
	return EXIT_USAGE;
}
