//go:build unix

package sqlite

import "golang.org/x/sys/unix"

// writable asks the system without opening the file: closing a database file
// that was opened beside SQLite takes away the locks of this process's
// connections.
func writable(path string) bool { return unix.Access(path, unix.W_OK) == nil }
