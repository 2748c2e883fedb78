package stopover

import "github.com/stopover-dev/stopover/internal/wire"

// The documents that the methods of App give. Each is what the command of that
// name prints with --format json: fields are added to it, never taken away.
type (
	// Plan is the way to a target, leg by leg, or why there is none.
	Plan = wire.Plan
	// Report says what apply, init, verify, cleanup, rollback or adopt did, and
	// what is left.
	Report = wire.Report
	// Status says where every store stands.
	Status = wire.Status
	// List is every step of every store.
	List = wire.List
	// Throttled says how backfills are to go from now on.
	Throttled = wire.Throttle
	// Fleet says who is alive, at which release, on what evidence.
	Fleet = wire.Fleet
	// Attested is a statement as it was recorded.
	Attested = wire.Attest
	// Gate is the answer of Check.
	Gate = wire.Check
)
