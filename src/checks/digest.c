/* SHA-256 through OpenSSL's EVP, and sha256sum's lists: see digest.h. */
#include "checks/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 256 << 10, CHUNKS_PER_STEP = 16, DIGEST_BYTES = 32 };

#define HEX_DIGITS "0123456789abcdefABCDEF"

bool digest_valid(const char *text)
{
	return strspn(text, HEX_DIGITS) == DIGEST_TEXT_SIZE - 1 && !text[DIGEST_TEXT_SIZE - 1];
}

int digest_open(struct digest *digest, const char *path, struct error *err)
{
	struct stat st;

	digest->context = NULL;
	/* A FIFO without a writer would hold us up for ever. */
	digest->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (digest->fd < 0)
		return error_set(err, ERROR_IO, errno, "cannot open '%s'", path);
	if (fstat(digest->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		digest_close(digest);
		return error_set(err, ERROR_IO, 0, "'%s' is no regular file", path);
	}
	digest->context = EVP_MD_CTX_new();
	if (digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1)
		return 0;
	digest_close(digest);
	return error_set(err, ERROR_IO, 0, "OpenSSL has no SHA-256 here");
}

static void write_hex(const unsigned char *bytes, char *ret_text)
{
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		ret_text[2 * i] = HEX_DIGITS[bytes[i] >> 4];
		ret_text[2 * i + 1] = HEX_DIGITS[bytes[i] & 15];
	}
	ret_text[2 * DIGEST_BYTES] = '\0';
}

int digest_step(struct digest *digest, char *ret_text, struct error *err)
{
	CLEANUP_FREE char *chunk = mem_alloc(CHUNK_BYTES);
	unsigned char bytes[EVP_MAX_MD_SIZE];

	for (int i = 0; i < CHUNKS_PER_STEP; i++) {
		ssize_t length = read(digest->fd, chunk, CHUNK_BYTES);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return error_set(err, ERROR_IO, errno, "cannot read");
		if (length > 0 && EVP_DigestUpdate(digest->context, chunk, (size_t)length) == 1)
			continue;
		if (length > 0 || EVP_DigestFinal_ex(digest->context, bytes, NULL) != 1)
			return error_set(err, ERROR_IO, 0, "OpenSSL could not compute SHA-256");
		write_hex(bytes, ret_text);
		return 0;
	}
	return 1;
}

void digest_close(struct digest *digest)
{
	EVP_MD_CTX_free(digest->context);
	digest->context = NULL;
	if (digest->fd >= 0)
		close(digest->fd);
	digest->fd = -1;
}

/* ---- manifests ---- */

/* "\n" and "\\" of a line that began with a backslash. */
static void unescape(char *name)
{
	char *to = name;

	for (const char *from = name; *from; from++) {
		if (*from == '\\' && (from[1] == 'n' || from[1] == '\\'))
			*to++ = *++from == 'n' ? '\n' : '\\';
		else
			*to++ = *from;
	}
	*to = '\0';
}

static bool parse_line(struct manifest *manifest, char *line)
{
	bool is_escaped = *line == '\\';
	char *digest = line + is_escaped;
	char *name;

	if (strspn(digest, HEX_DIGITS) != DIGEST_TEXT_SIZE - 1 ||
		digest[DIGEST_TEXT_SIZE - 1] != ' ')
		return false;
	name = digest + DIGEST_TEXT_SIZE;
	if ((*name != ' ' && *name != '*') || !name[1])
		return false;
	digest[DIGEST_TEXT_SIZE - 1] = '\0';
	name++;
	if (is_escaped)
		unescape(name);
	manifest->lines[manifest->count++] =
		(struct manifest_line){ .digest = digest, .name = name };
	return true;
}

int manifest_parse(struct manifest *manifest, const char *text, struct error *err)
{
	char *rest = arena_strdup(&manifest->arena, text);
	size_t lines = 1, number = 0;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	manifest->lines = arena_alloc(&manifest->arena, lines * sizeof(*manifest->lines));
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		size_t length = strlen(line);

		number++;
		if (length && line[length - 1] == '\r')
			line[--length] = '\0';
		if (!length || *line == '#' || parse_line(manifest, line))
			continue;
		error_set(err, ERROR_CONFIG, 0, "line %zu is not 'DIGEST  NAME'", number);
		return error_hint(err, "make the list with: sha256sum FILE... > MANIFEST");
	}
	if (manifest->count)
		return 0;
	return error_set(err, ERROR_CONFIG, 0, "it lists no file");
}

void manifest_release(struct manifest *manifest)
{
	arena_release(&manifest->arena);
	*manifest = (struct manifest){ 0 };
}
