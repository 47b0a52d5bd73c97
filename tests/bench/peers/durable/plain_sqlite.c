/* SQLite as one would use it: the same transfer (an id that may come once, a debit that checks the
 * funds, a credit) in tables, WAL and synchronous=FULL, GROUP transfers a commit. In one process,
 * without a network.
 *
 *   plain_sqlite FILE GROUP SECONDS
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { accounts = 10000 };

static sqlite3* database;

static void require(int status, int wanted) {
  if (status == wanted) return;
  fprintf(stderr, "plain_sqlite: %s\n", sqlite3_errmsg(database));
  exit(74);
}

static void run(const char* sql) { require(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK); }

static sqlite3_stmt* prepare(const char* sql) {
  sqlite3_stmt* statement = NULL;
  require(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), SQLITE_OK);
  return statement;
}

static void step(sqlite3_stmt* statement) {
  require(sqlite3_step(statement), SQLITE_DONE);
  sqlite3_reset(statement);
}

static uint64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* A UUIDv7: ordered by time, which is best for its index. */
static void make_id(unsigned char id[16]) {
  const uint64_t now = nanoseconds(CLOCK_REALTIME) / 1000000u;
  for (int at = 0; at < 6; ++at) id[at] = (unsigned char)(now >> (40 - 8 * at));
  for (int at = 6; at < 16; ++at) id[at] = (unsigned char)random();
  id[6] = (unsigned char)(0x70 | (id[6] & 0x0f));
  id[8] = (unsigned char)(0x80 | (id[8] & 0x3f));
}

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  const long group = atol(argv[2]);
  const double seconds = atof(argv[3]);
  remove(argv[1]);
  require(sqlite3_open(argv[1], &database), SQLITE_OK);
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA locking_mode=EXCLUSIVE;"
      "PRAGMA cache_size=-262144;"
      "CREATE TABLE account(number INTEGER PRIMARY KEY, balance INTEGER NOT NULL);"
      "CREATE TABLE transfer(id BLOB PRIMARY KEY, source INTEGER, target INTEGER, amount INTEGER) WITHOUT ROWID;"
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)"
      " INSERT INTO account SELECT i, 1000000000000 FROM n");
  sqlite3_stmt* const begin = prepare("BEGIN IMMEDIATE");
  sqlite3_stmt* const commit = prepare("COMMIT");
  sqlite3_stmt* const insert = prepare("INSERT INTO transfer VALUES(?, ?, ?, 1)");
  sqlite3_stmt* const debit = prepare("UPDATE account SET balance = balance - 1 WHERE number = ? AND balance >= 1");
  sqlite3_stmt* const credit = prepare("UPDATE account SET balance = balance + 1 WHERE number = ?");

  unsigned long done = 0;
  const uint64_t start = nanoseconds(CLOCK_MONOTONIC);
  double took = 0;
  while (took < seconds) {
    step(begin);
    for (long at = 0; at < group; ++at) {
      unsigned char id[16];
      make_id(id);
      const int source = (int)(random() % accounts);
      const int target = (source + 1 + (int)(random() % (accounts - 1))) % accounts;
      sqlite3_bind_blob(insert, 1, id, sizeof id, SQLITE_STATIC);
      sqlite3_bind_int(insert, 2, source);
      sqlite3_bind_int(insert, 3, target);
      step(insert);
      sqlite3_bind_int(debit, 1, source);
      step(debit);
      sqlite3_bind_int(credit, 1, target);
      step(credit);
    }
    step(commit);
    done += (unsigned long)group;
    took = (double)(nanoseconds(CLOCK_MONOTONIC) - start) / 1e9;
  }
  printf("{\"flows\": [{\"done\": %lu, \"per_second\": %.1f}]}\n", done, (double)done / took);
  return 0;
}
