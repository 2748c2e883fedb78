//go:build !unix

package sqlite

import "os"

// writable looks at the file's read-only mark, all that can be had here.
func writable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o200 != 0
}
