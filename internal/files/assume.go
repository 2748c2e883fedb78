package files

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/goccy/go-yaml/ast"

	"github.com/stopover-dev/stopover/internal/spelling"
)

// Assumption is where stores and fleet are taken to stand by a plan on paper.
type Assumption struct {
	File   string            // as shown to people
	Stores map[string]string // MIGRATION[.STEP] by store, as written; "none": nothing was done
	Fleet  map[string][]string
	Target string // "": the newest release

	places map[string]Place
}

// None is the position of a store to which nothing was done.
const None = "none"

// ReadAssumption reads the file of an assumption. The error is a *Problems.
func ReadAssumption(name string) (*Assumption, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, one(Problem{Place: Place{File: name}, Message: "there is no such file",
			Next: "write one: `stores: {main: 0041_name}`, `fleet: {api: [\"1.4\"]}`, `target: \"1.9\"`"})
	}
	if err != nil {
		return nil, one(Problem{Place: Place{File: name}, Message: "cannot be read: " + reason(err)})
	}
	return parseAssumption(name, data)
}

func parseAssumption(name string, data []byte) (*Assumption, error) {
	r := &yamlReader{file: name}
	a := &Assumption{File: name, Stores: map[string]string{}, Fleet: map[string][]string{}, places: map[string]Place{}}
	root := r.parse(data)
	if root == nil && len(r.problems) == 0 {
		r.problem(Place{File: name}, "name at least where the stores are: `stores: {main: 0041_name}`", "the file is empty")
	}
	if root != nil {
		for _, entry := range r.pairs(root, path.Base(name)) {
			a.top(r, entry)
		}
	}
	if len(r.problems) > 0 {
		return nil, &Problems{List: sortProblems(r.problems)}
	}
	return a, nil
}

func (a *Assumption) top(r *yamlReader, entry pair) {
	switch entry.key {
	case "stores":
		for _, s := range r.pairs(entry.value, "stores") {
			a.Stores[s.key] = r.text(s.value, "stores: "+s.key)
			a.places["stores/"+s.key] = s.place
		}
	case "fleet":
		for _, c := range r.pairs(entry.value, "fleet") {
			a.Fleet[c.key] = releasesOf(r, c)
			a.places["fleet/"+c.key] = c.place
		}
	case "target":
		a.Target = r.text(entry.value, "target")
		a.places["target"] = entry.place
	default:
		r.problem(entry.place, "", "unknown key %q%s", excerpt(entry.key), spelling.Meant(entry.key, []string{"stores", "fleet", "target"}))
	}
}

// releasesOf reads one release or a list of them.
func releasesOf(r *yamlReader, c pair) []string {
	if _, isList := r.bare(c.value).(*ast.SequenceNode); isList {
		return r.texts(c.value, "fleet: "+c.key)
	}
	return []string{r.text(c.value, "fleet: "+c.key)}
}

// Fault makes the error of an entry that leads nowhere; entry is "stores/main",
// "fleet/api" or "target".
func (a *Assumption) Fault(entry, message, next string) error {
	place, known := a.places[entry]
	if !known {
		place = Place{File: a.File}
	}
	return one(Problem{Place: place, Message: message, Next: next})
}
