package sqlaction

import (
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// facts gives what the statements do to the application.
func facts(d sqltext.Dialect, section store.Section, kinds []sqltext.Statement) []store.Fact {
	return nil
}
