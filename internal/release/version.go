package release

import (
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// parseVersion reads a semantic version, its short forms, the form that PEP
// 440 gives to versions of Python packages (0.8.0rc1, 1.0.post1, 2.0.dev3),
// and what git describe prints (1.4.0-3-gabc1234: three commits after 1.4.0).
func parseVersion(text string) (ID, bool) {
	core, suffix := splitCore(strings.TrimPrefix(strings.TrimPrefix(text, "v"), "V"))
	numbers := strings.Split(core, ".")
	if len(numbers) > 3 || len(numbers) == 1 && !wholeVersion(text) {
		return ID{}, false
	}
	id := ID{parts: len(numbers)}
	for i, number := range numbers {
		n, ok := parseNumber(number)
		if !ok {
			return ID{}, false
		}
		numbers[i] = strconv.FormatUint(n, 10)
	}
	for len(numbers) < 3 {
		numbers = append(numbers, "0")
	}
	suffix, build, hasBuild := strings.Cut(suffix, "+")
	tail, ok := parseSuffix(suffix)
	if !ok || hasBuild && build == "" {
		return ID{}, false
	}
	id.post, id.development = tail.post, tail.development || localBuild(build)
	canonical := strings.Join(numbers, ".")
	if tail.pre != "" {
		canonical += "-" + tail.pre
	}
	version, err := semver.StrictNewVersion(canonical)
	id.version = version
	return id, err == nil
}

// wholeVersion reports that a text whose core is one number may be a version:
// 2, v3-rc.1, 2026; not a change number like 1565, not a day like 2026-05-01.
func wholeVersion(text string) bool {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	year := digits == 4 && (text[:2] == "19" || text[:2] == "20")
	day := digits == 4 && len(text) > 5 && text[4] == '-' && isDigit(text[5])
	return digits < 4 || year && !day
}

// splitCore cuts a version behind its leading numbers: "1.5.0" and "-rc.1".
func splitCore(text string) (core, suffix string) {
	end := 0
	for end < len(text) && (isDigit(text[end]) || text[end] == '.' && end+1 < len(text) && isDigit(text[end+1])) {
		end++
	}
	return text[:end], text[end:]
}

// tail is what stands behind the numbers of a version.
type tail struct {
	pre         string // in the form of semantic versions: "rc.1"
	post        uint64
	development bool
}

func parseSuffix(suffix string) (tail, bool) {
	if suffix == "" {
		return tail{}, true
	}
	if described, ok := parseDescribe(suffix); ok {
		return described, true
	}
	if suffix[0] == '-' {
		return parsePre(suffix[1:])
	}
	return parsePython(suffix)
}

// parseDescribe reads "-3-gabc1234" and "-3-gabc1234-dirty", and "-dirty"
// alone, which git describe --dirty prints on a release's own commit.
func parseDescribe(suffix string) (tail, bool) {
	rest, dirty := strings.CutSuffix(suffix, "-dirty")
	if rest == "" {
		return tail{development: true}, true
	}
	count, commit, found := strings.Cut(strings.TrimPrefix(rest, "-"), "-g")
	n, ok := parseNumber(count)
	if !found || !ok || !isHex(commit) || rest[0] != '-' {
		return tail{}, false
	}
	return tail{post: n, development: dirty || n > 0}, true
}

// parsePre reads the pre-release of a semantic version. Where a phase and its
// number are written together (rc10) they are taken apart, so that rc10 stands
// behind rc2, as whoever wrote them meant.
func parsePre(pre string) (tail, bool) {
	if pre == "" {
		return tail{}, false
	}
	var t tail
	parts := strings.Split(pre, ".")
	for i, part := range parts {
		phase, number := splitPhase(part)
		lower := strings.ToLower(phase)
		if lower == "dev" || lower == "devel" || lower == "snapshot" || lower == "dirty" || lower == "local" {
			t.development = true
		}
		if isPhase(lower) && number != "" {
			n, ok := parseNumber(number)
			if !ok {
				return tail{}, false
			}
			parts[i] = phase + "." + strconv.FormatUint(n, 10)
		}
	}
	t.pre = strings.Join(parts, ".")
	t.development = t.development || pseudoVersion(pre)
	return t, true
}

// parsePython reads what PEP 440 puts behind the numbers: a phase (a1, b2,
// rc1), ".post1", ".dev3", in this order.
func parsePython(suffix string) (tail, bool) {
	var t tail
	phase, number, rest := takePhase(suffix)
	if p, known := pythonPhases[phase]; known {
		t.pre, suffix = p+"."+strconv.FormatUint(number, 10), rest
	}
	if phase, n, rest := takePhase(suffix); phase == "post" {
		t.post, suffix = n, rest
	}
	if phase, n, rest := takePhase(suffix); phase == "dev" {
		t.development, suffix = true, rest
		t.pre = beforePre(t, n)
	}
	return t, suffix == ""
}

var pythonPhases = map[string]string{"a": "alpha", "alpha": "alpha", "b": "beta", "beta": "beta", "c": "rc", "rc": "rc", "pre": "rc", "preview": "rc"}

// beforePre gives the pre-release of the n-th development build of t: before
// all phases of a plain version (a number sorts before letters), between rc.1
// and rc.2 for rc.2. One of a post-release stays where its post-release is.
func beforePre(t tail, n uint64) string {
	dev := "dev." + strconv.FormatUint(n, 10)
	if t.post > 0 {
		return t.pre
	}
	if t.pre == "" {
		return "0." + dev
	}
	phase, number, _ := strings.Cut(t.pre, ".")
	last, _ := strconv.ParseUint(number, 10, 64)
	if last == 0 {
		return t.pre
	}
	return phase + "." + strconv.FormatUint(last-1, 10) + "." + dev
}

// takePhase takes letters and the number behind them from the front, with an
// optional separator before: ".dev3+x" gives "dev", 3, "+x".
func takePhase(text string) (phase string, number uint64, rest string) {
	text = strings.TrimLeft(text, ".-_")
	letters := 0
	for letters < len(text) && isLetter(text[letters]) {
		letters++
	}
	end := letters
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	number, _ = parseNumber(text[letters:end])
	return strings.ToLower(text[:letters]), number, text[end:]
}

// splitPhase parts letters from the digits behind them; a text of any other
// form has no digits.
func splitPhase(text string) (phase, number string) {
	letters := strings.TrimRight(text, "0123456789")
	return letters, text[len(letters):]
}

func isPhase(text string) bool {
	switch text {
	case "alpha", "beta", "a", "b", "c", "rc", "pre", "preview", "dev", "m", "milestone":
		return true
	}
	return false
}
