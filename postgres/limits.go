package postgres

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// limits say from when on long work gives way. 0: never for that reason.
type limits struct {
	replicaLag     time.Duration
	replicaBacklog int64 // bytes
	archiveBacklog int64 // bytes
	vacuumAbove    int64 // bytes: size of tables whose vacuum counts
	probe          string
	probeLimit     float64
}

// defaultLimits are what a careful operator would choose without knowing more.
var defaultLimits = limits{replicaLag: 10 * time.Second, replicaBacklog: 1 << 30, archiveBacklog: 1 << 30, vacuumAbove: 1 << 30}

// limitOptions are the options that readLimits knows.
var limitOptions = []string{"replica_lag", "replica_backlog", "archive_backlog", "vacuum_above", "probe", "probe_limit"}

func readLimits(options map[string]string) (limits, error) {
	l := defaultLimits
	l.probe = options["probe"]
	var err error
	for name, into := range map[string]*int64{"replica_backlog": &l.replicaBacklog, "archive_backlog": &l.archiveBacklog, "vacuum_above": &l.vacuumAbove} {
		text, given := options[name]
		if !given {
			continue
		}
		if *into, err = readSize(text); err != nil {
			return l, fmt.Errorf("%s: %w", name, err)
		}
	}
	switch text, given := options["replica_lag"]; {
	case given && text == "off":
		l.replicaLag = 0
	case given:
		if l.replicaLag, err = time.ParseDuration(text); err != nil || l.replicaLag <= 0 {
			return l, fmt.Errorf("replica_lag: %q is no time: write 10s, or off", text)
		}
	}
	if text, given := options["probe_limit"]; given {
		if l.probeLimit, err = strconv.ParseFloat(text, 64); err != nil {
			return l, fmt.Errorf("probe_limit: %q is no number", text)
		}
		if l.probe == "" {
			return l, fmt.Errorf("probe_limit goes with probe")
		}
	}
	return l, nil
}

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}}

// readSize reads "512MB" as the server does: in powers of 1024.
func readSize(text string) (int64, error) {
	if text == "off" {
		return 0, nil
	}
	number, unit := strings.TrimSpace(text), int64(1)
	for _, u := range sizeUnits {
		if rest, found := strings.CutSuffix(number, u.name); found {
			number, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > (1<<62)/unit {
		return 0, fmt.Errorf("%q is no size: write 512MB, 2GB, or off", text)
	}
	return n * unit, nil
}

func sizeText(bytes int64) string {
	for _, u := range sizeUnits {
		if bytes >= u.bytes {
			return strconv.FormatFloat(float64(bytes)/float64(u.bytes), 'f', 1, 64) + " " + u.name
		}
	}
	return strconv.FormatInt(bytes, 10) + " bytes"
}
