/* The journal in SQLite; the only file that sees it. One table, only ever appended to. */
#include "canaryctl/buf.h"
#include "canaryctl/clock.h"
#include "canaryctl/journal.h"
#include "canaryctl/mem.h"

#include <sqlite3.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCHEMA_VERSION = 1, BUSY_TIMEOUT_MS = 2000 };

struct journal {
	sqlite3 *database;
	char *path;
};

static const char schema[] =
	"PRAGMA journal_mode=WAL;"
	"PRAGMA synchronous=FULL;"
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS events ("
	" sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
	" time_ms INTEGER NOT NULL,"
	" deployment TEXT NOT NULL,"
	" type TEXT NOT NULL,"
	" data TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS events_deployment ON events (deployment, sequence);"
	"PRAGMA user_version=1;"
	"COMMIT;";

static int fail(struct journal *journal, const char *what, struct error *err)
{
	error_set(err, ERROR_IO, 0, "cannot %s the journal '%s': %s", what, journal->path,
		journal->database ? sqlite3_errmsg(journal->database) : "out of memory");
	return error_hint(err, "is the disk full, or the file damaged? 'canaryctl rollback' works "
			       "without it; move the file away to begin a new one");
}

static int check_version(struct journal *journal, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int version = -1;

	if (sqlite3_prepare_v2(journal->database, "PRAGMA user_version", -1, &statement, NULL) ==
			SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	if (version < 0)
		return fail(journal, "read", err);
	if (version <= SCHEMA_VERSION)
		return 0;
	error_set(err, ERROR_IO, 0, "the journal '%s' was written by a newer canaryctl (format %d)",
		journal->path, version);
	return error_hint(err, "use that one, or move a damaged file away; 'canaryctl rollback' "
			       "works without it");
}

/* `name` is the path, or with SQLITE_OPEN_URI a URI of it. */
static struct journal *open_named(
	const char *folder, const char *name, int flags, struct error *err)
{
	struct journal *journal = mem_alloc(sizeof(*journal));

	journal->path = mem_format("%s/journal.db", folder);
	if (sqlite3_open_v2(name, &journal->database, flags | SQLITE_OPEN_NOFOLLOW, NULL) !=
		SQLITE_OK) {
		fail(journal, "open", err);
		journal_close(journal);
		return NULL;
	}
	sqlite3_busy_timeout(journal->database, BUSY_TIMEOUT_MS);
	if (check_version(journal, err) < 0) {
		journal_close(journal);
		return NULL;
	}
	return journal;
}

static struct journal *open_database(const char *folder, int flags, struct error *err)
{
	CLEANUP_FREE char *path = mem_format("%s/journal.db", folder);

	return open_named(folder, path, flags, err);
}

/*
 * On a file system that became read-only SQLite cannot make the files that it needs beside a
 * database. Without a log beside it the database is complete, and nobody can change it.
 */
static struct journal *open_unchangeable(const char *folder, struct error *err)
{
	CLEANUP_FREE char *log_path = mem_format("%s/journal.db-wal", folder);
	CLEANUP_BUF struct buf uri = BUF_INIT(0);

	if (access(folder, W_OK) == 0 || errno != EROFS || access(log_path, F_OK) == 0)
		return NULL;
	buf_add_text(&uri, "file:");
	for (const char *c = folder; *c; c++)
		buf_add_format(&uri, strchr("?#%", *c) ? "%%%02x" : "%c", (unsigned char)*c);
	buf_add_text(&uri, "/journal.db?immutable=1");
	error_clear(err);
	return open_named(folder, buf_text(&uri), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
}

struct journal *journal_open(const char *folder, struct error *err)
{
	mode_t old_mask = umask(0077);
	struct journal *journal =
		open_database(folder, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);

	if (journal && sqlite3_exec(journal->database, schema, NULL, NULL, NULL) != SQLITE_OK) {
		fail(journal, "prepare", err);
		journal_close(journal);
		journal = NULL;
	}
	umask(old_mask);
	return journal;
}

struct journal *journal_open_for_reading(const char *folder, struct error *err)
{
	struct error first = { 0 };
	struct journal *journal = open_database(folder, SQLITE_OPEN_READWRITE, &first);

	if (!journal)
		journal = open_unchangeable(folder, err);
	if (!journal && err->kind == ERROR_NONE)
		*err = first;
	return journal;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	sqlite3_close(journal->database);
	free(journal->path);
	free(journal);
}

int journal_append(struct journal *journal, const char *deployment, const char *type,
	const char *data, struct error *err)
{
	static const char sql[] =
		"INSERT INTO events (time_ms, deployment, type, data) VALUES (?, ?, ?, ?)";
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(journal->database, sql, -1, &statement, NULL);

	if (result == SQLITE_OK) {
		sqlite3_bind_int64(statement, 1, clock_wall_ms());
		sqlite3_bind_text(statement, 2, deployment, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 3, type, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 4, data, -1, SQLITE_STATIC);
		result = sqlite3_step(statement);
	}
	if (result != SQLITE_DONE)
		fail(journal, "write to", err);
	sqlite3_finalize(statement);
	return result == SQLITE_DONE ? 0 : -1;
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text ? (const char *)text : "";
}

int journal_read(struct journal *journal, const char *deployment, journal_visit_fn *visit,
	void *context, struct error *err)
{
	static const char sql[] =
		"SELECT sequence, time_ms, deployment, type, data FROM events WHERE deployment ="
		" coalesce(?,"
		" (SELECT deployment FROM events AS newest WHERE type = 'shift_intent'"
		"  OR (type = 'started' AND NOT EXISTS (SELECT 1 FROM events AS its"
		"   WHERE its.deployment = newest.deployment AND its.type = 'finished'))"
		"  ORDER BY sequence DESC LIMIT 1),"
		" (SELECT deployment FROM events ORDER BY sequence DESC LIMIT 1))"
		" ORDER BY sequence";
	sqlite3_stmt *statement = NULL;
	int result = sqlite3_prepare_v2(journal->database, sql, -1, &statement, NULL);

	if (result == SQLITE_OK && deployment)
		sqlite3_bind_text(statement, 1, deployment, -1, SQLITE_STATIC);
	while (result == SQLITE_OK || result == SQLITE_ROW) {
		result = sqlite3_step(statement);
		if (result != SQLITE_ROW)
			break;
		struct journal_record record = { .sequence = sqlite3_column_int64(statement, 0),
			.time = sqlite3_column_int64(statement, 1),
			.deployment = text_of(statement, 2),
			.type = text_of(statement, 3),
			.data = text_of(statement, 4) };

		visit(&record, context);
	}
	if (result != SQLITE_DONE)
		fail(journal, "read", err);
	sqlite3_finalize(statement);
	return result == SQLITE_DONE ? 0 : -1;
}
