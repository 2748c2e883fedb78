//go:build !unix

package files

// quickly knows no quicker way here.
func (r *textReader) quickly(string) (string, bool) { return "", false }
