// Package release reads and orders release ids: versions, change numbers and
// dates. It is not a list of releases and knows nothing of what they need.
//
// The invariant: an id stays the text that was written. Numbers are read out
// of it only to compare, so 1.10 stands after 1.9 and is never 1.1.
package release

import (
	"cmp"
	"fmt"

	"github.com/Masterminds/semver/v3"
)

// Scheme is a way in which releases are named. An application uses one.
type Scheme uint8

// The schemes.
const (
	Version Scheme = iota + 1 // 1.5, v1.5.3, 1.6.0-rc.1, 0.8.0rc1
	Number                    // 1565, a change or build number
	Date                      // 2026-05-01 or 20260501
)

var schemeNames = [...]string{Version: "version", Number: "number", Date: "date"}

// String gives the scheme as it is named in messages.
func (s Scheme) String() string {
	if s < Version || s > Date {
		return fmt.Sprintf("Scheme(%d)", uint8(s))
	}
	return schemeNames[s]
}

// ID is a release id that was understood. The zero ID is no release. IDs are
// made by Order.Parse; only those of one scheme compare.
type ID struct {
	text        string
	scheme      Scheme
	number      uint64          // Number; Date as yyyymmdd
	version     *semver.Version // Version
	parts       int             // Version: numbers written, 1 to 3
	post        uint64          // Version: commits or corrections after it
	development bool
}

// String gives the id as it was written.
func (id ID) String() string { return id.text }

// Scheme says how the id was read.
func (id ID) Scheme() Scheme { return id.scheme }

// Short reports that the id stands for a range: 1.5 for every 1.5.x.
func (id ID) Short() bool {
	return id.scheme == Version && id.parts < 3 && !id.PreRelease() && id.post == 0 && !id.development
}

// PreRelease reports that the id stands before the version that it names:
// 1.6.0-rc.1, 0.8.0rc1, 2.0.0.dev4.
func (id ID) PreRelease() bool {
	return id.scheme == Version && id.version.Prerelease() != ""
}

// Development reports that the id is of a build that nobody released: it was
// made between releases, or from sources with local changes.
func (id ID) Development() bool { return id.development }

// Compare orders two ids of one scheme: -1 where a is older, 0, or 1. A short
// id stands where its first release stands: 1.5 with 1.5.0.
func Compare(a, b ID) int {
	if a.scheme != Version || b.scheme != Version {
		return cmp.Or(cmp.Compare(a.scheme, b.scheme), cmp.Compare(a.number, b.number))
	}
	return cmp.Or(a.version.Compare(b.version), cmp.Compare(a.post, b.post))
}

// Covers reports that full is one of the releases that short stands for: 1.5
// covers 1.5.3 and 1.5.0-rc.1. An id with all its numbers covers itself only,
// however it is written.
func Covers(short, full ID) bool {
	if !short.Short() {
		return Compare(short, full) == 0
	}
	return full.scheme == Version && full.parts >= short.parts && sameCore(full, short, short.parts)
}

// Meets reports that a release is at or above a floor. A pre-release of X
// meets a floor of X: it carries the code of X.
func Meets(release, floor ID) bool {
	if Compare(release, floor) >= 0 {
		return true
	}
	return release.PreRelease() && floor.scheme == Version && !floor.PreRelease() && floor.post == 0 &&
		sameCore(release, floor, 3)
}

// Related reports that two versions share their first two numbers, so that
// they come from one branch of releases. Other schemes have no branches.
func Related(a, b ID) bool {
	return a.scheme == Version && b.scheme == Version && sameCore(a, b, 2)
}

// sameCore compares the first n numbers of two versions.
func sameCore(a, b ID, n int) bool {
	x := [...]uint64{a.version.Major(), a.version.Minor(), a.version.Patch()}
	y := [...]uint64{b.version.Major(), b.version.Minor(), b.version.Patch()}
	for i := range n {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}
