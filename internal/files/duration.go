package files

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

var errDuration = errors.New("no time with a unit")

// parseDuration reads times as people write them: 24h, 90m, 500ms, and with
// days and weeks, which the standard library does not have: 7d, 1w, 1d12h. A
// number without a unit is an error, but for 0.
func parseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	var total time.Duration
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		count, rest, found := strings.Cut(text, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(count, 10, 31)
		if err != nil || time.Duration(n) > (math.MaxInt64-total)/unit.size {
			return 0, errDuration
		}
		total += time.Duration(n) * unit.size
		if text = rest; text == "" {
			return total, nil
		}
	}
	rest, err := time.ParseDuration(text)
	if err != nil || rest < 0 || rest > math.MaxInt64-total {
		return 0, errDuration
	}
	return total + rest, nil
}
