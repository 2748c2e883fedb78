package importer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// stop is one entry of an upgrade_path.yml.
type stop struct {
	major, minor int
	comments     string
	line         int
}

func (s stop) release() string { return fmt.Sprintf("%d.%d", s.major, s.minor) }

// GitLab makes a catalogue of GitLab's upgrade_path.yml: a list of the releases
// at which every upgrade stops. Each becomes a migration that nothing older than
// its release may be alive beside, and that the release after it, which is
// listed for that, needs. The error is a *Problem.
func GitLab(file string, data []byte) (*Catalogue, error) {
	stops, err := readStops(file, data)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{From: file, Component: "gitlab"}
	c.unknown("what is done at a stop: each stands for the migrations that GitLab itself runs there, and cannot be run from here")
	for i, s := range stops {
		after := fmt.Sprintf("%d.%d", s.major, s.minor+1)
		c.Releases = append(c.Releases, Release{ID: s.release()})
		switch {
		case i+1 == len(stops):
			c.Releases = append(c.Releases, Release{ID: after})
			c.unknown("whether %s is released yet: it is listed because it is the first that needs the stop at %s", after, s.release())
		case stops[i+1].major > s.major: // it may be the last of its major release
			c.Releases = append(c.Releases, Release{ID: after, Withdrawn: true, Note: "perhaps never released"})
			c.unknown("whether %s was ever released: it is listed as withdrawn, so that nothing is rolled to it", after)
		case stops[i+1].release() != after:
			c.Releases = append(c.Releases, Release{ID: after})
		}
		c.Migrations = append(c.Migrations, Migration{
			Name: fmt.Sprintf("%d%02d_stop_%d_%d", s.major, s.minor, s.major, s.minor), Needs: after, Floor: s.release(), Notes: c.comments(s)})
	}
	return c, nil
}

// comments keeps what an entry says to people.
func (c *Catalogue) comments(s stop) []string {
	if s.comments == "" {
		return nil
	}
	text := strings.Join(strings.Fields(s.comments), " ")
	if strings.Contains(strings.ToLower(text), "conditional") {
		c.unknown("whether the stop at %s concerns this installation: it is conditional (%s); it is imported as a stop for everybody, take writers, readers and needs of its migration away if it is none here", s.release(), text)
	} else {
		c.unknown("whether the comment on %s is a condition: %s", s.release(), text)
	}
	return []string{text}
}

// readStops reads the list.
func readStops(file string, data []byte) ([]stop, error) {
	root, err := document(file, data)
	if err != nil {
		return nil, err
	}
	entries, isList := root.(*ast.SequenceNode)
	if !isList || len(entries.Values) == 0 {
		return nil, &Problem{File: file, Line: line(root), Message: "this is no list of stops", Next: "an entry looks like `- major: 14` with `minor: 0` below it"}
	}
	var stops []stop
	for _, node := range entries.Values {
		s, err := readStop(file, node)
		if err != nil {
			return nil, err
		}
		if n := len(stops); n > 0 && (s.major < stops[n-1].major || s.major == stops[n-1].major && s.minor <= stops[n-1].minor) {
			return nil, &Problem{File: file, Line: s.line, Message: fmt.Sprintf("the stop %s does not come after %s", s.release(), stops[n-1].release())}
		}
		stops = append(stops, s)
	}
	return stops, nil
}

// document gives the only document of a file.
func document(file string, data []byte) (ast.Node, error) {
	parsed, err := parser.ParseBytes(data, 0)
	if err != nil {
		p := &Problem{File: file, Message: "not understood as YAML"}
		var known yaml.Error
		if errors.As(err, &known) {
			p.Message += ": " + known.GetMessage()
			if t := known.GetToken(); t != nil && t.Position != nil {
				p.Line = t.Position.Line
			}
		}
		return nil, p
	}
	for _, doc := range parsed.Docs {
		if doc.Body != nil {
			return doc.Body, nil
		}
	}
	return nil, &Problem{File: file, Message: "the file is empty"}
}

func readStop(file string, node ast.Node) (stop, error) {
	s := stop{major: -1, minor: -1, line: line(node)}
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	}
	for _, pair := range pairs {
		if pair.Key == nil || pair.Value == nil {
			continue
		}
		s.line = min(s.line, line(pair))
		text := pair.Value.GetToken().Value
		switch key := pair.Key.GetToken().Value; key {
		case "major", "minor":
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 || n > 9999 {
				return s, &Problem{File: file, Line: line(pair), Message: fmt.Sprintf("%s: %q is no number of a release", key, short(text))}
			}
			if key == "major" {
				s.major = n
			} else {
				s.minor = n
			}
		case "comments":
			s.comments = text
		default:
			return s, &Problem{File: file, Line: line(pair), Message: fmt.Sprintf("unknown key %q (known: major, minor, comments)", short(key))}
		}
	}
	if s.major < 0 || s.minor < 0 {
		return s, &Problem{File: file, Line: s.line, Message: "an entry without major and minor"}
	}
	return s, nil
}

func line(node ast.Node) int {
	if node == nil {
		return 0
	}
	if t := node.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}
