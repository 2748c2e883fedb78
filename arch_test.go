package stopover

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/stopover-dev/stopover"

// arrows lists, for each room, the rooms that it may know. A room that is not
// listed must not exist; what stands behind each arrow is in ARCHITECTURE.md.
// Tests may know more, see testArrows.
var arrows = map[string][]string{
	"cmd/stopover": {".", "internal/demo", "postgres", "redis", "sqlite", "store"},
	".": {"plan", "store", "internal/book", "internal/cli", "internal/files", "internal/importer", "internal/release",
		"internal/run", "internal/ui", "internal/wire"},
	"plan":  {},
	"store": {},

	"postgres":        {"store", "internal/sqlaction", "internal/sqltext"},
	"redis":           {"store", "internal/expr", "internal/keytemplate", "internal/spelling", "internal/tracking"},
	"sqlite":          {"store", "internal/sqlaction", "internal/sqltext"},
	"store/storetest": {"store"},
	"stopovertest":    {".", "store"},

	"internal/book":         {"plan", "store"},
	"internal/cli":          {},
	"internal/demo":         {".", "sqlite", "store", "internal/wire"},
	"internal/demo/picture": {},
	"internal/files":        {"plan", "internal/release", "internal/spelling"},
	"internal/importer":     {"internal/release"},
	"internal/expr":         {},
	"internal/keytemplate":  {},
	"internal/redismodel":   {},
	"internal/release":      {},
	"internal/run":          {"plan", "store", "internal/book", "internal/wire"},
	"internal/spelling":     {},
	"internal/sqlaction":    {"store", "internal/sqltext"},
	"internal/sqltext":      {},
	"internal/testserver":   {},
	"internal/tracking":     {},
	"internal/ui":           {"internal/wire"},
	"internal/wire":         {"plan"},
}

// pure lists the rooms that may import nothing but what is named here: no
// clock, no input and output, no third party.
var pure = map[string][]string{
	"plan": {"cmp", "errors", "fmt", "maps", "math", "slices", "sort", "strconv", "strings", "time"},
}

// environment lists the only places that may look at the process's environment
// or end the process.
var environment = []string{"main.go", "cleanup.go", "cmd/stopover", "internal/demo", "internal/testserver"}

// TestArrows reads the sources itself: a test that asked `go list` would stay
// green from the test cache when an import is added.
func TestArrows(t *testing.T) {
	for _, file := range sources(t, false) {
		room := path.Dir(file.name)
		allowed, known := arrows[room]
		if !known {
			t.Errorf("%s: the room %s is not in the table of arrows", file.name, room)
			continue
		}
		for _, imported := range file.imports {
			if other, ours := inside(imported); ours && !slices.Contains(allowed, other) {
				t.Errorf("%s imports %s: there is no arrow from %s to it", file.name, imported, room)
			}
			if list, isPure := pure[room]; isPure && !slices.Contains(list, imported) {
				t.Errorf("%s imports %s: %s is pure", file.name, imported, room)
			}
		}
	}
}

// TestArrowsEndSomewhere finds rooms of the table that are gone.
func TestArrowsEndSomewhere(t *testing.T) {
	for room := range arrows {
		if matches, _ := filepath.Glob(filepath.FromSlash(room) + "/*.go"); len(matches) == 0 {
			t.Errorf("the table of arrows names the room %s, which has no sources", room)
		}
	}
}

// TestEnvironment keeps os.Getenv and os.Exit where they belong.
func TestEnvironment(t *testing.T) {
	for _, file := range sources(t, false) {
		if slices.ContainsFunc(environment, func(place string) bool { return strings.HasPrefix(file.name, place) }) {
			continue
		}
		for _, word := range []string{"os.Getenv(", "os.LookupEnv(", "os.Exit(", "os.Setenv("} {
			if strings.Contains(file.text, word) {
				t.Errorf("%s uses %s)", file.name, word)
			}
		}
	}
}

// TestDocsNameRooms holds ARCHITECTURE.md to the table.
func TestDocsNameRooms(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for room := range arrows {
		if room != "." && !strings.Contains(string(text), "`"+room+"`") {
			t.Errorf("ARCHITECTURE.md does not name the room %s", room)
		}
	}
}

type source struct {
	name    string // below the module, with slashes
	text    string
	imports []string
}

// sources reads the module's own Go files, without those of other modules below
// it and without examples.
func sources(t *testing.T, tests bool) []source {
	t.Helper()
	var list []source
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skippedFolder(name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") != tests {
			return nil
		}
		file, err := read(name)
		list = append(list, file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 50 && !tests {
		t.Fatalf("only %d sources were found: this test looks in the wrong place", len(list))
	}
	return list
}

func skippedFolder(dir string) error {
	base := filepath.Base(dir)
	other, _ := filepath.Glob(filepath.Join(dir, "go.mod"))
	if base == "examples" || base == "testdata" || base == "bin" || strings.HasPrefix(base, ".") && base != "." || dir != "." && len(other) > 0 {
		return filepath.SkipDir
	}
	return nil
}

func read(name string) (source, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return source{}, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return source{}, fmt.Errorf("parse %s: %w", name, err)
	}
	file := source{name: filepath.ToSlash(name), text: string(text)}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, err
		}
		file.imports = append(file.imports, imported)
	}
	return file, nil
}

// inside gives the room of an import of this module.
func inside(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}
