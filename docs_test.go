package stopover_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/cli"
	"github.com/stopover-dev/stopover/store/storetest"
)

// docs gives the pages that people read, by name.
func docs(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, name := range append(names, "README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pages[filepath.ToSlash(name)] = string(text)
	}
	if len(pages) < 8 {
		t.Fatalf("only %d pages were found: this test looks in the wrong place", len(pages))
	}
	return pages
}

func TestReadmeIsShort(t *testing.T) {
	if lines := strings.Count(docs(t)["README.md"], "\n"); lines > 120 {
		t.Errorf("README.md has %d lines, 120 is the most", lines)
	}
}

// Command lines stand in the docs after a prompt, in tables and sentences in
// backquotes, or alone in a line of a block.
var (
	prompted = regexp.MustCompile(`(?m)^ +(?:\$ |next: )?((?:stopover|go run \./cmd/stopover)(?: .*)?)$`)
	inline   = regexp.MustCompile("`(stopover [^`]+)`")
	comment  = regexp.MustCompile(`\s+(?:#|&&) .*$`)
)

func TestCommandsInTheDocsParse(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	seen := 0
	for name, text := range docs(t) {
		var lines []string
		for _, m := range prompted.FindAllStringSubmatch(text, -1) {
			lines = append(lines, m[1])
		}
		for _, m := range inline.FindAllStringSubmatch(text, -1) {
			lines = append(lines, m[1])
		}
		for _, line := range lines {
			line = strings.TrimPrefix(strings.TrimPrefix(line, "go run ./cmd/"), "stopover")
			words := strings.Fields(comment.ReplaceAllString(line, ""))
			seen++
			if _, err := cli.Parse(words, none); err != nil {
				t.Errorf("%s: %q: %v", name, line, err)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d command lines were found", seen)
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksInTheDocsLeadSomewhere(t *testing.T) {
	pages := docs(t)
	for name, text := range pages {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := path.Join(path.Dir(name), target)
			if target == "" {
				file = name
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, m[1])
				continue
			}
			if page, isPage := pages[file]; isPage && anchor != "" && !slices.Contains(anchors(page), anchor) {
				t.Errorf("%s: %s has no heading for #%s", name, file, anchor)
			}
		}
	}
}

var (
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notInURL = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// anchors gives the names under which a page's headings are linked.
func anchors(page string) []string {
	var list []string
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		plain := notInURL.ReplaceAllString(strings.ToLower(m[1]), "")
		list = append(list, strings.ReplaceAll(plain, " ", "-"))
	}
	return list
}

var (
	testName  = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)
	storyName = regexp.MustCompile(`\b\w+\.txtar`)
	caseName  = regexp.MustCompile(`"([^"]+)"`)
	declared  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// TestGuaranteesNameTheirTests holds docs/guarantees.md to the sources: what it
// names is there, and every guarantee names something.
func TestGuaranteesNameTheirTests(t *testing.T) {
	tests, stories := testsAndStories(t)
	cases := map[string]bool{}
	for _, c := range storetest.Cases() {
		cases[c.Name] = true
	}
	page := docs(t)["docs/guarantees.md"]
	_, page, _ = strings.Cut(page, "\n## ") // the introduction names kinds of tests
	for _, part := range strings.Split(page, "\n## ") {
		title, _, _ := strings.Cut(part, "\n")
		flat := strings.Join(strings.Fields(part), " ")
		named := testName.FindAllString(flat, -1)
		for _, name := range named {
			if !tests[name] {
				t.Errorf("%s: there is no test %s", title, name)
			}
		}
		for _, name := range storyName.FindAllString(flat, -1) {
			named = append(named, name)
			if !stories[name] {
				t.Errorf("%s: there is no story %s", title, name)
			}
		}
		for _, m := range caseName.FindAllStringSubmatch(flat, -1) {
			if m[1] != "carried over" && !cases[m[1]] {
				t.Errorf("%s: the suite has no case %q", title, m[1])
			}
		}
		if len(named) == 0 {
			t.Errorf("%s: no test is named", title)
		}
	}
	for _, title := range []string{"G1 ", "G2 ", "G3 ", "G4 ", "G5 ", "G6 ", "G7 ", "G8 ", "G9 ", "G10 "} {
		if !strings.Contains("\n## "+page, "\n## "+title) {
			t.Errorf("%s is not there", title)
		}
	}
}

// testsAndStories gives the names of all tests and stories of the module.
func testsAndStories(t *testing.T) (tests, stories map[string]bool) {
	t.Helper()
	tests, stories = map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(name, ".txtar"):
			stories[filepath.Base(name)] = true
		case strings.HasSuffix(name, "_test.go"):
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
				tests[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests, stories
}
