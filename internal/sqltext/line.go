package sqltext

// LineAt gives the line of a position within a text. The text's first byte
// stands on line; position counts characters (runes) from 1, as PostgreSQL
// reports it. A position outside of the text gives the nearest line in it; a
// position below 1 the first.
func LineAt(text string, line, position int) int {
	for _, r := range text {
		position--
		if position < 1 {
			break
		}
		if r == '\n' {
			line++
		}
	}
	return line
}
