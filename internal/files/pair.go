package files

import "strings"

// cutWord takes the first word from a line.
func cutWord(line string) (word, rest string) {
	line = strings.TrimLeft(line, " \t")
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return line, ""
	}
	return line[:end], strings.TrimLeft(line[end:], " \t")
}

// cutPair takes the first word, key=value or key="value" from a text that
// does not begin with a blank. Within quotes \" and \\ stand for " and \.
// A key may be followed by >= instead of =, as releases read.
func cutPair(text string) (key, value string, has bool, rest, fault string) {
	end := strings.IndexAny(text, " \t=<>")
	if end < 0 {
		return text, "", false, "", ""
	}
	key, text = text[:end], text[end:]
	if text[0] == ' ' || text[0] == '\t' {
		rest = strings.TrimLeft(text, " \t")
		if strings.HasPrefix(rest, "=") || strings.HasPrefix(rest, ">") || strings.HasPrefix(rest, "<") {
			return "", "", false, "", "write key=value without blanks around the sign: " + excerpt(key+text)
		}
		return key, "", false, rest, ""
	}
	if key == "" {
		return "", "", false, "", "a value without a key: " + excerpt(text)
	}
	text = strings.TrimPrefix(text, "=")
	if text != "" && text[0] == '"' {
		value, rest, fault = cutQuoted(key, text[1:])
		return key, value, true, strings.TrimLeft(rest, " \t"), fault
	}
	value, rest = text, ""
	if end = strings.IndexAny(text, " \t"); end >= 0 {
		value, rest = text[:end], strings.TrimLeft(text[end:], " \t")
	}
	if strings.IndexByte(value, '"') >= 0 {
		return "", "", false, "", "a quote in the middle of a value: " + excerpt(key+"="+value)
	}
	return key, value, true, rest, ""
}

// cutQuoted takes a quoted value whose first quote is behind it already.
func cutQuoted(key, text string) (value, rest, fault string) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
			b.WriteByte(text[i])
		case c == '"':
			rest = text[i+1:]
			if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
				return "", "", "text right behind the closing quote of " + key
			}
			return b.String(), rest, ""
		default:
			b.WriteByte(c)
		}
	}
	return "", "", "the quote of " + key + " is not closed"
}
