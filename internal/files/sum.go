package files

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// byteOrderMark is what some editors put at the begin of a file.
const byteOrderMark = "\ufeff"

// sumOf gives the checksum of a section: SHA-256, first 16 bytes in hex, over
// its text without byte-order mark, without blanks at the end of lines and
// blank lines at both ends, with line feeds as line ends.
func sumOf(text string) string {
	sum := sha256.Sum256([]byte(normal(text)))
	return hex.EncodeToString(sum[:16])
}

// Sum is the checksum that a section with this text has. Migrations in Go use
// it for what they show as their text.
func Sum(text string) string { return sumOf(text) }

func normal(text string) string {
	text = strings.TrimPrefix(text, byteOrderMark)
	if strings.IndexByte(text, '\r') >= 0 {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	var b strings.Builder
	b.Grow(len(text))
	blank := 0 // lines without text that are only written when text follows
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\f\v")
		if line == "" {
			blank++
			continue
		}
		if b.Len() > 0 {
			for range blank + 1 {
				b.WriteByte('\n')
			}
		}
		blank = 0
		b.WriteString(line)
	}
	return b.String()
}
