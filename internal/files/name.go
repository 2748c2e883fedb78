package files

import (
	"cmp"
	"strings"
)

// CompareNames orders names of migrations: by the leading number as a number,
// of any length, then by text.
func CompareNames(a, b string) int {
	x, y := number(a), number(b)
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y), strings.Compare(a, b))
}

// digits gives the leading digits of a name as written.
func digits(name string) string {
	end := 0
	for end < len(name) && name[end] >= '0' && name[end] <= '9' {
		end++
	}
	return name[:end]
}

// number gives the leading number of a name without zeros before it.
func number(name string) string {
	return strings.TrimLeft(digits(name), "0")
}

// checkName says what is wrong with a migration's name; "": nothing.
func checkName(name string) string {
	if digits(name) == "" {
		return "the name of a migration begins with its number, as in 0042_" + name
	}
	for _, r := range name {
		if !plain(r) {
			return "the name of a migration has letters of a to z, digits, _ and - only, not " + quoteRune(r)
		}
	}
	return ""
}

func plain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
}

func quoteRune(r rune) string {
	if r == ' ' {
		return "a space"
	}
	return "\"" + string(r) + "\""
}
