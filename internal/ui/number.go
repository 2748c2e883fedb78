package ui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// exact writes a count in full: 41,000,000.
func exact(n int64) string {
	text := strconv.FormatInt(n, 10)
	digits, sign := strings.TrimPrefix(text, "-"), ""
	if len(digits) < len(text) {
		sign = "-"
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// about writes a count so that it is read at a glance: 853, 31k, 15.7 M.
func about(n float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, " bn"}, {1e6, " M"}, {1e3, "k"}} {
		// 999,950 is 1 M, not 1000k.
		if math.Abs(n) >= unit.size*0.9995 {
			return short(n/unit.size) + unit.name
		}
	}
	return strconv.FormatFloat(math.Round(n), 'f', -1, 64)
}

// short writes one digit after the point below a hundred, if it is not 0.
func short(n float64) string {
	if math.Abs(n) >= 99.95 {
		return strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	}
	return strings.TrimSuffix(strconv.FormatFloat(n, 'f', 1, 64), ".0")
}

// span writes a time: < 1 s, 42 s, 22 min, 3 h 5 min, 2 d 4 h.
func span(seconds float64) string {
	switch s := math.Round(seconds); {
	case seconds < 1:
		return "< 1 s"
	case s < 100:
		return fmt.Sprintf("%.0f s", s)
	case s < 100*60:
		return fmt.Sprintf("%.0f min", math.Round(s/60))
	case s < 48*3600:
		return pair(math.Round(s/60), 60, "h", "min")
	default:
		return pair(math.Round(s/3600), 24, "d", "h")
	}
}

func pair(n, per float64, large, small string) string {
	rest := math.Mod(n, per)
	if rest == 0 {
		return fmt.Sprintf("%.0f %s", n/per, large)
	}
	return fmt.Sprintf("%.0f %s %.0f %s", math.Floor(n/per), large, rest, small)
}

// size writes bytes: 812 B, 40 MB, 1.2 GB.
func size(bytes int64) string {
	n := float64(bytes)
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= unit.size*0.9995 {
			return short(n/unit.size) + " " + unit.name
		}
	}
	return strconv.FormatInt(bytes, 10) + " B"
}

// many writes a number with its noun: 1 step, 8 steps.
func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return exact(int64(n)) + " " + noun + "s"
}

func rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return exact(n) + " rows"
}
