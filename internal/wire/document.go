// Package wire is what Stopover says, as data: one versioned JSON document for
// every command, and the events that are told while a command runs. Whoever
// reads them may rely on names and meanings; fields are added, never taken
// away or given another meaning, without a new Version.
//
// It decides nothing and renders nothing. The invariant: no document and no
// event ever holds a URL or a password, only places that a store gave for
// people to read.
package wire

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// Version of all documents. It stands at the top of each under "stopover".
const Version = 1

// Head opens every document.
type Head struct {
	Stopover int      `json:"stopover"` // Version
	Command  string   `json:"command"`  // "plan", "new project"
	Exit     int      `json:"exit"`     // the exit code of the process
	Error    *Error   `json:"error"`    // null where nothing went wrong
	Next     []string `json:"next"`     // what to type next, in the order of likelihood; never null
	Warnings []string `json:"warnings,omitempty"`
}

// NewHead begins the document of a command.
func NewHead(command string) Head {
	return Head{Stopover: Version, Command: command, Next: []string{}}
}

// Top gives the head of a document, to read and to complete.
func (h *Head) Top() *Head { return h }

// Document is any of the documents of this package, by pointer.
type Document interface{ Top() *Head }

// Failure is the document of a command that ended before it had anything of
// its own to say: a usage error, an unreadable stopover.yaml.
type Failure struct{ Head }

// Encode writes a document as indented JSON with a line end. Lists that are nil
// are made empty first, so that readers never meet a null list.
func Encode(w io.Writer, doc Document) error {
	top := doc.Top()
	if top.Stopover == 0 {
		top.Stopover = Version
	}
	fill(reflect.ValueOf(doc))
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(doc); err != nil {
		return fmt.Errorf("write the document of %s: %w", top.Command, err)
	}
	return nil
}

// fill makes every nil list below v an empty one.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			fill(v.Elem())
		}
	case reflect.Slice:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if !strings.HasSuffix(v.Type().Field(i).Tag.Get("json"), ",omitempty") || !v.Field(i).IsZero() {
				fill(v.Field(i))
			}
		}
	}
}

// VersionError says that a document was written by another Stopover.
type VersionError struct{ Found int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the document has version %d, this stopover reads version %d", e.Found, Version)
}

// DecodePlan reads what `plan --out` wrote. Unknown fields are left aside: a
// newer Stopover may have added some.
func DecodePlan(r io.Reader) (*Plan, error) {
	var plan Plan
	if err := json.NewDecoder(r).Decode(&plan); err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	if plan.Stopover != Version {
		return nil, &VersionError{Found: plan.Stopover}
	}
	if plan.Command != "plan" {
		return nil, fmt.Errorf("read the plan: this is the document of %q", plan.Command)
	}
	return &plan, nil
}
