package files

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/stopover-dev/stopover/internal/spelling"
)

// Lookup gives the value of a variable, and whether it is set. An empty value
// counts as unset: an empty URL helps nobody.
type Lookup func(name string) (string, bool)

// Expanded are a store's settings with their variables put in. They contain
// secrets: never print them.
type Expanded struct {
	URL     string
	Options map[string]string // schema, prefix, direct_url, role and the kind's own keys, where given
}

// Expand puts in the variables of a store's settings: ${NAME} from lookup,
// ${file:PATH} from a file, without the newline at its end; a relative path is
// below the project's folder. Errors are *Problems that name the variable or
// the file, and never show a value.
func (p *Project) Expand(store string, lookup Lookup) (Expanded, error) {
	s, found := p.Store(store)
	if !found {
		var known []string
		for _, s := range p.Stores {
			known = append(known, s.Name)
		}
		return Expanded{}, one(Problem{Message: fmt.Sprintf("no store %q%s", excerpt(store), spelling.Meant(store, known))})
	}
	place := Place{File: p.File, Line: s.Line}
	if s.URL == "" {
		return Expanded{}, one(Problem{Place: place, Message: "store " + s.Name + " has no url", Next: "add `url: ${DATABASE_URL}` to it"})
	}
	options := map[string]string{"schema": s.Schema, "prefix": s.Prefix, "direct_url": s.DirectURL, "role": s.Role}
	maps.Copy(options, s.Options)
	x := expander{p: p, place: place, lookup: lookup}
	url := x.text("store "+s.Name+": url", s.URL)
	for key, value := range options {
		if value == "" {
			delete(options, key)
			continue
		}
		options[key] = x.text("store "+s.Name+": "+key, value)
	}
	if len(x.problems) > 0 {
		return Expanded{}, &Problems{List: sortProblems(x.problems)}
	}
	return Expanded{URL: url, Options: options}, nil
}

// ExpandText does the same for one text; what names it in errors: "scratch".
func (p *Project) ExpandText(what, text string, lookup Lookup) (string, error) {
	x := expander{p: p, place: Place{File: p.File}, lookup: lookup}
	text = x.text(what, text)
	if len(x.problems) > 0 {
		return "", &Problems{List: x.problems}
	}
	return text, nil
}

// expander puts values in and keeps what is wrong.
type expander struct {
	p        *Project
	place    Place
	lookup   Lookup
	problems []Problem
}

func (x *expander) problem(next, format string, args ...any) string {
	x.problems = append(x.problems, Problem{Place: x.place, Message: fmt.Sprintf(format, args...), Next: next})
	return ""
}

// text expands one text. A dollar sign without a brace stays.
func (x *expander) text(what, text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return x.problem("close it with }", "%s has a ${ that is not closed", what)
		}
		b.WriteString(x.value(what, name))
		text = after
	}
}

func (x *expander) value(what, name string) string {
	if file, found := strings.CutPrefix(name, "file:"); found {
		return x.file(what, file)
	}
	if !isVariable(name) {
		return x.problem("write ${NAME} or ${file:/path}", "%s has a ${..} without the name of a variable", what)
	}
	value, set := x.lookup(name)
	if !set || value == "" {
		return x.problem(fmt.Sprintf("export %s=..., or write it into .env", name), "%s wants the variable %s, which is not set", what, name)
	}
	return value
}

// file reads a secret. An absolute path is not below the project, so it is
// read from the machine.
func (x *expander) file(what, name string) string {
	var data []byte
	var err error
	if fs.ValidPath(name) && x.p.fsys != nil {
		data, err = fs.ReadFile(x.p.fsys, name)
	} else {
		full := name
		if !filepath.IsAbs(name) {
			full = filepath.Join(x.p.Dir, name)
		}
		data, err = os.ReadFile(full)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return x.problem("make the file, or correct its name", "%s wants the file %s, which is not there", what, name)
	case err != nil:
		return x.problem("", "%s wants the file %s, which cannot be read: %s", what, name, reason(err))
	case strings.TrimSpace(text) == "":
		return x.problem("write the value into it", "%s wants the file %s, which is empty", what, name)
	}
	return text
}

// isVariable reports that a text is the name of a variable.
func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
