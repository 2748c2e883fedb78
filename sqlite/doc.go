// Package sqlite is the store that is a SQLite file.
//
// The books are two tables and a view beside the application's own:
//
//	stopover_note      key, rev, at, value: one row a note; at is in
//	                   milliseconds since 1970, value is JSON
//	stopover_revision  one row: the last revision handed out. It is a counter
//	                   of its own because the highest revision may belong to a
//	                   note that is gone, and must not come back
//	stopover_ledger    a view of the ledger's notes, one row a step
//
// The note "format" carries the version of the books. stopover_note is WITHOUT
// ROWID, so that its key is its only tree and Look reads it in order.
//
// The invariant: whatever writes is in one BEGIN IMMEDIATE .. COMMIT on one
// connection, together with its guards and notes. SQLite has one writer at a
// time, so a guard that stands at the begin of such a transaction stands at its
// end, and a lock on it costs nothing.
//
// What the package leaves alone: the journal mode (WAL is the application's
// choice and stays in the file), synchronous, page sizes, and foreign_keys,
// which are as the URL sets them ("sqlite:shop.db?_pragma=foreign_keys(1)").
// There is one exception: while a task drops a table, foreign keys are not
// enforced, because SQLite deletes a dropped table's rows with all that
// references them ON DELETE CASCADE, and a rebuild (new table, copy, drop,
// rename) would lose the children. At the end of such a task all foreign keys
// are checked, and new violations make it fail.
//
// Stretches follow the primary key where it can never be NULL, else the rowid.
// VACUUM gives new rowids to a table without INTEGER PRIMARY KEY: do not run it
// while such a table's backfill is under way; the verify step finds rows that
// were passed over.
//
// There is one writer at a time for the whole file, so while a long statement
// runs nobody else writes, the renewal of a lease included. That is safe, as
// the guard is looked at under the same lock, but waits can end in a
// store.LockedError. What only reads, a Query too, keeps no writer waiting for
// its lock; without WAL a writer's COMMIT waits for readers.
//
// SQLite has no list of sessions, so the package does not implement
// store.Lister. The store's clock is the clock of the machine: a file must not
// be shared between machines, which SQLite forbids for other reasons as well.
package sqlite
