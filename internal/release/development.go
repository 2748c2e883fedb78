package release

import "strings"

// Development reports that a text names a build that nobody released, also
// where it is no release id at all: "(devel)", "dev", "1.5.0-SNAPSHOT".
func Development(text string) bool {
	switch strings.ToLower(strings.Trim(text, "()")) {
	case "", "dev", "devel", "development", "local", "head", "unknown", "dirty", "snapshot":
		return true
	}
	id, ok := parseVersion(text)
	return ok && id.development
}

// localBuild reports that the build part of a version (behind its plus sign)
// tells of local changes or of a bare commit. Other build parts are of those
// who package releases: 1.28.2+k3s1 is a release.
func localBuild(build string) bool {
	for _, part := range strings.FieldsFunc(build, func(r rune) bool { return r == '.' || r == '-' || r == '_' }) {
		lower := strings.ToLower(part)
		switch {
		case lower == "dirty", lower == "local", lower == "dev", lower == "devel":
			return true
		case len(lower) >= 7 && lower[0] == 'g' && isHex(lower[1:]):
			return true
		case len(lower) == 9 && lower[0] == 'd' && strings.Trim(lower[1:], "0123456789") == "":
			return true // setuptools_scm: the day of an uncommitted change
		}
	}
	return false
}

// pseudoVersion recognises the pre-release that the go command makes up for a
// commit: 20260501120000-abcdef123456, with something before it or not.
func pseudoVersion(pre string) bool {
	stamp, commit, found := strings.Cut(pre[strings.LastIndexByte(pre, '.')+1:], "-")
	return found && len(stamp) == 14 && strings.Trim(stamp, "0123456789") == "" && len(commit) == 12 && isHex(commit)
}

func isHex(text string) bool {
	return text != "" && strings.Trim(text, "0123456789abcdef") == ""
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }
