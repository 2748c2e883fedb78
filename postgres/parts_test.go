package postgres_test

// play lets the test binary play the part of another process; false if it has
// none to play.
func play(part string) bool { return part != "" && false }
