package stopovertest

import "testing"

// Watching lets a kit report to another test for a while.
func Watching(k *Kit, t testing.TB, do func(*Kit)) {
	before := k.t
	k.t = t
	do(k)
	k.t = before
}
