/*
 * HTTP requests: libcurl's multi interface on the libuv loop. The only file that sees libcurl.
 *
 * libcurl tells which sockets to watch and when to call it next; libuv's polls and a timer do
 * that. After each call the finished transfers are collected; their operations end there, and
 * nothing new is started from a callback.
 */
#include "canaryctl/fileio.h"
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"

#include "loop/loop_private.h"

#include <curl/curl.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http_engine {
	CURLM *multi;
	uv_timer_t timer;
	struct loop *loop;
	bool is_closing;
};

/* One per socket that libcurl uses; freed in its close callback. */
struct socket_watch {
	uv_poll_t poll;
	curl_socket_t socket;
	struct http_engine *engine;
};

struct http_transfer {
	struct http_op *http;
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	char *body;
	size_t maximum_bytes;
	int64_t started_ms;
	bool too_large;
	char curl_message[CURL_ERROR_SIZE];
	bool headers_ended;
};

static void finish(struct http_transfer *transfer, CURLcode code);

static void collect_finished(struct http_engine *engine)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(engine->multi, &left))) {
		struct http_transfer *transfer = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		finish(transfer, code);
	}
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
	struct socket_watch *watch = container_of(poll, struct socket_watch, poll);
	struct http_engine *engine = watch->engine;
	int flags = 0, running;

	if (status < 0)
		flags = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(engine->multi, watch->socket, flags, &running);
	collect_finished(engine);
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(container_of((uv_poll_t *)(void *)handle, struct socket_watch, poll));
}

static int on_curl_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned)
{
	struct http_engine *engine = context;
	struct socket_watch *watch = assigned;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			uv_poll_stop(&watch->poll);
			uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
			curl_multi_assign(engine->multi, socket, NULL);
		}
		return 0;
	}
	if (!watch) {
		watch = mem_alloc(sizeof(*watch));
		watch->socket = socket;
		watch->engine = engine;
		if (uv_poll_init_socket(&engine->loop->uv, &watch->poll, socket) < 0) {
			free(watch);
			return -1;
		}
		curl_multi_assign(engine->multi, socket, watch);
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= UV_READABLE;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&watch->poll, events, on_socket_ready) < 0 ? -1 : 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct http_engine *engine = container_of(timer, struct http_engine, timer);
	int running;

	curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect_finished(engine);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http_engine *engine = context;

	(void)multi;
	if (engine->is_closing)
		return 0;
	/* Also for 0 ms through the timer: libcurl must not be called from its own callback. */
	if (timeout_ms < 0)
		uv_timer_stop(&engine->timer);
	else
		uv_timer_start(&engine->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

static void *resize_bytes(void *pointer, size_t size)
{
	return mem_resize(pointer, size, 1);
}

/* libcurl never sees a failed allocation either: a header that was lost would change the request.
 */
static bool initialise_curl(void)
{
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, free, resize_bytes, mem_strdup,
		       mem_array) == CURLE_OK;
}

static struct http_engine *engine_of(struct loop *loop)
{
	struct http_engine *engine = loop->http;

	if (engine)
		return engine;
	if (!initialise_curl())
		BUG("libcurl cannot be initialised");
	engine = mem_alloc(sizeof(*engine));
	engine->loop = loop;
	engine->multi = curl_multi_init();
	if (!engine->multi)
		BUG("libcurl cannot be initialised");
	uv_timer_init(&loop->uv, &engine->timer);
	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
	loop->http = engine;
	return engine;
}

static void on_engine_closed(uv_handle_t *handle)
{
	free(container_of((uv_timer_t *)(void *)handle, struct http_engine, timer));
}

void http_engine_free(struct http_engine *engine)
{
	if (!engine)
		return;
	/* While loop and context live: libcurl still calls back about sockets it closes. */
	engine->is_closing = true;
	curl_multi_cleanup(engine->multi);
	uv_timer_stop(&engine->timer);
	uv_close((uv_handle_t *)&engine->timer, on_engine_closed);
	curl_global_cleanup();
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	size_t length = size * count;

	if (transfer->http->body.length + length > transfer->maximum_bytes) {
		transfer->too_large = true;
		return 0;
	}
	buf_add(&transfer->http->body, bytes, length);
	return length;
}

/* libcurl takes an answer that ends in the middle of its headers as one without a body. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	size_t length = size * count;

	/* A status line begins them, of an interim answer too; trailers come later. */
	if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		transfer->headers_ended = false;
	else if (length && (bytes[0] == '\r' || bytes[0] == '\n'))
		transfer->headers_ended = true;
	return length;
}

static void describe_failure(struct http_transfer *transfer, CURLcode code)
{
	struct http_op *http = transfer->http;
	const char *why =
		transfer->curl_message[0] ? transfer->curl_message : curl_easy_strerror(code);
	curl_off_t connected_us = 0;

	/* On a busy machine a refusal may be looked at only when the time is over as well. */
	curl_easy_getinfo(transfer->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
	http->timed_out = code == CURLE_OPERATION_TIMEDOUT;
	http->too_large = transfer->too_large;
	http->could_not_connect =
		(http->timed_out && !connected_us) || code == CURLE_COULDNT_CONNECT ||
		code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
	if (transfer->too_large)
		error_set(&http->error, ERROR_NET, 0, "the answer is larger than %zu bytes",
			transfer->maximum_bytes);
	else if (code == CURLE_ABORTED_BY_CALLBACK)
		error_set(&http->error, ERROR_CANCELED, 0, "canceled");
	else
		error_set(&http->error, ERROR_NET, 0, "%s", why);
}

static void finish(struct http_transfer *transfer, CURLcode code)
{
	struct http_op *http = transfer->http;
	struct loop *loop = http->op.task->loop;
	const char *content_type = NULL;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http->status);
	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &content_type);
	if (content_type)
		strncpy(http->content_type, content_type, sizeof(http->content_type) - 1);
	uv_update_time(&loop->uv);
	http->elapsed_ms = loop_now_ms(loop) - transfer->started_ms;
	if (code != CURLE_OK)
		describe_failure(transfer, code);
	else if (http->error.kind == ERROR_NONE && !transfer->headers_ended)
		error_set(&http->error, ERROR_NET, 0, "the answer broke off in its headers");
	curl_multi_remove_handle(loop->http->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->connect_to);
	free(transfer->body);
	free(transfer);
	http->transfer = NULL;
	op_end(&http->op);
}

static void cancel_http(struct op *op)
{
	struct http_op *http = container_of(op, struct http_op, op);

	finish(http->transfer, CURLE_ABORTED_BY_CALLBACK);
}

static void add_headers(struct http_transfer *transfer, const char *const *headers)
{
	for (; headers && *headers; headers++)
		transfer->headers = curl_slist_append(transfer->headers, *headers);
}

/* A secret from a file: its first line, read anew each time so that rotation works. */
static int read_secret(const char *path, struct buf *ret_secret, struct error *err)
{
	if (fileio_read(path, 64 << 10, ret_secret, err) < 0)
		return -1;
	if (ret_secret->data)
		ret_secret->data[strcspn(ret_secret->data, "\r\n")] = '\0';
	return 0;
}

static void wipe(struct buf *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->capacity);
	buf_release(secret);
}

static int set_credentials(
	struct http_transfer *transfer, const struct http_auth *auth, struct error *err)
{
	struct buf secret = BUF_INIT(64 << 10);
	const char *password_file = auth->password_file;
	const char *file = auth->username ? password_file : auth->credentials_file;
	const char *value = auth->username ? auth->password : auth->credentials;

	if (!value && !file)
		return 0;
	if (!value) {
		if (read_secret(file, &secret, err) < 0) {
			wipe(&secret);
			return -1;
		}
		value = buf_text(&secret);
	}
	if (auth->username) {
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(transfer->easy, CURLOPT_USERNAME, auth->username);
		curl_easy_setopt(transfer->easy, CURLOPT_PASSWORD, value);
	} else {
		char *header = mem_format(
			"Authorization: %s %s", auth->type ? auth->type : "Bearer", value);

		transfer->headers = curl_slist_append(transfer->headers, header);
		explicit_bzero(header, strlen(header));
		free(header);
	}
	wipe(&secret);
	return 0;
}

static int set_auth(struct http_transfer *transfer, const struct http_auth *auth, struct error *err)
{
	CURL *easy = transfer->easy;

	if (!auth)
		return 0;
	if (auth->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, auth->ca_file);
	if (auth->cert_file)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, auth->cert_file);
	if (auth->key_file)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, auth->key_file);
	if (auth->insecure_skip_verify) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	add_headers(transfer, (const char *const *)(uintptr_t)auth->headers);
	return set_credentials(transfer, auth, err);
}

static void set_request(struct http_transfer *transfer, const struct http_request *request)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	/* As Prometheus' http_config: a proxy in the environment is not ours to use. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_message);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "canaryctl/" CANARYCTL_VERSION);
	if (request->fresh_connection) {
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	}
	if (request->body) {
		transfer->body = mem_strdup(request->body);
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(transfer->body));
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body);
	}
	if (request->method)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->method && strcasecmp(request->method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (request->content_type) {
		CLEANUP_FREE char *header = mem_format("Content-Type: %s", request->content_type);

		transfer->headers = curl_slist_append(transfer->headers, header);
	}
	add_headers(transfer, request->headers);
}

/* An https URL whose certificate is for another name: connect by the URL, verify that name. */
static void set_server_name(struct http_transfer *transfer, const struct http_request *request)
{
	const char *name = request->auth ? request->auth->server_name : NULL;
	CURLU *url = name ? curl_url() : NULL;
	char *host = NULL, *port = NULL, *changed = NULL;

	if (url && !curl_url_set(url, CURLUPART_URL, request->url, 0) &&
		!curl_url_get(url, CURLUPART_HOST, &host, 0) &&
		!curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
		!curl_url_set(url, CURLUPART_HOST, name, 0) &&
		!curl_url_get(url, CURLUPART_URL, &changed, 0)) {
		CLEANUP_FREE char *connect_to = mem_format("%s:%s:%s:%s", name, port, host, port);
		CLEANUP_FREE char *header = mem_format("Host: %s:%s", host, port);
		struct curl_slist *list = curl_slist_append(NULL, connect_to);

		curl_easy_setopt(transfer->easy, CURLOPT_URL, changed);
		curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_TO, list);
		transfer->headers = curl_slist_append(transfer->headers, header);
		transfer->connect_to = list;
	}
	curl_free(host);
	curl_free(port);
	curl_free(changed);
	curl_url_cleanup(url);
}

void http_start(struct http_op *http, struct task *task, const struct http_request *request)
{
	struct http_engine *engine = engine_of(task->loop);
	struct http_transfer *transfer = mem_alloc(sizeof(*transfer));

	if (request->timeout_ms <= 0)
		BUG("http request without a time limit");
	http_release(http);
	op_begin(&http->op, task, cancel_http);
	transfer->http = http;
	transfer->maximum_bytes = request->maximum_bytes ? request->maximum_bytes : HTTP_MAX_BYTES;
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		BUG("libcurl has no memory");
	http->transfer = transfer;
	uv_update_time(&task->loop->uv);
	transfer->started_ms = loop_now_ms(task->loop);
	set_request(transfer, request);
	set_server_name(transfer, request);
	if (set_auth(transfer, request->auth, &http->error) < 0) {
		struct error why = http->error;

		finish(transfer, CURLE_OK);
		http->error = why;
		return;
	}
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	if (curl_multi_add_handle(engine->multi, transfer->easy) != CURLM_OK)
		BUG("libcurl refused a request");
}

void http_release(struct http_op *http)
{
	if (http->transfer)
		BUG("http request released while it runs");
	buf_release(&http->body);
	error_clear(&http->error);
	http->could_not_connect = http->timed_out = http->too_large = false;
	http->status = 0;
	http->content_type[0] = '\0';
	http->elapsed_ms = 0;
}
