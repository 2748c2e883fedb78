// Package redis is the store that is a key prefix of a Redis or Valkey server,
// standalone or a cluster.
//
// The books are one hash among the application's keys, "shop:{shop}:stopover"
// for the prefix "shop:". One key is in one slot of a cluster, and commands on
// it are one moment:
//
//	format        the version of the books
//	rev           the last revision handed out
//	note/KEY      revision, time in microseconds since 1970, value
//	given-up/ID   a call whose outcome is unknown and that must not be
//	              performed any more, should it still arrive; with its time
//
// A revision is one more than the last, and at least the server's clock in
// microseconds. So none comes back, even if a failover loses the last writes
// or the books are deleted.
//
// The invariant: whatever a task does under its guards is one Lua script that
// looks at the guards, does the work and writes the notes. Redis runs a script
// in one piece and gives it to replicas and to its log in one piece, but takes
// nothing back when it fails in the middle; so the script itself keeps a dump
// of every key before its first write, and restores them. The exception is
// Stretch, which goes over many keys of many slots: it repeats, after a crash,
// what was done since the last recorded cursor, and each key has its guard and
// its work in one script.
//
// The package uses a client for each node and its own map of slots, not the
// client's cluster: that one sends a command again by itself when a connection
// breaks, and nobody knows then how often it was performed. A write whose
// outcome is unknown is given up in the books before anything else is asked,
// so that it cannot arrive late.
//
// Keys in actions are without the prefix. The package does not touch what is
// not below it.
package redis
