package files

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// byteOrderMark is what some editors put at the beginning of a file.
const byteOrderMark = "\ufeff"

// sumOf gives the checksum of a section: SHA-256, first 16 bytes in hex, over
// its text without byte-order mark, without blanks at the end of lines, without
// blank lines and lines of comment at both ends, with line feeds as line ends.
// A comment above a directive stands at the end of the section before it: it
// may be mended after that one has run.
func sumOf(text string) string {
	sum := sha256.Sum256([]byte(normal(text)))
	return hex.EncodeToString(sum[:16])
}

// normal gives the form of a text that the checksum is taken over.
func normal(text string) string {
	text = strings.TrimPrefix(text, byteOrderMark)
	if strings.IndexByte(text, '\r') >= 0 {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	var b strings.Builder
	b.Grow(len(text))
	last := 0 // end of the last line that counts
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\f\v")
		counts := line != "" && !strings.HasPrefix(strings.TrimLeft(line, " \t\f\v"), "--")
		if b.Len() > 0 {
			b.WriteByte('\n')
		} else if !counts {
			continue
		}
		b.WriteString(line)
		if counts {
			last = b.Len()
		}
	}
	return b.String()[:last]
}
