package wire

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

var documents = map[string]any{
	"failure": Failure{}, "status": Status{}, "list": List{}, "plan": Plan{}, "report": Report{}, "check": Check{}, "unlock": Unlock{}, "throttle": Throttle{}, "fleet": Fleet{}, "attest": Attest{},
	"lint": Lint{}, "new": New{}, "import": Import{}, "version": VersionInfo{}, "demo": Demo{}, "event": Event{},
}

// Readers rely on every field: one that vanishes, or changes its type, needs a
// new Version.
func TestSchema(t *testing.T) {
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			var lines []string
			fields(reflect.TypeOf(doc), "", &lines, nil)
			got := strings.Join(lines, "\n") + "\n"
			file := filepath.Join("testdata", name+".schema")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			have := strings.Split(got, "\n")
			for _, line := range strings.Split(string(want), "\n") {
				if !slices.Contains(have, line) {
					t.Errorf("vanished or changed: %s", line)
				}
			}
			if got != string(want) && !t.Failed() {
				t.Error("there are new fields: run the test with -update")
			}
		})
	}
}

// fields writes one line a field, with its path and type. Types that contain
// themselves are followed once.
func fields(t reflect.Type, path string, lines *[]string, above []reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer:
		fields(t.Elem(), path+"?", lines, above)
		return
	case reflect.Slice:
		fields(t.Elem(), path+"[]", lines, above)
		return
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			*lines = append(*lines, path+" time")
			return
		}
	default:
		*lines = append(*lines, path+" "+t.Kind().String())
		return
	}
	if slices.Contains(above, t) {
		*lines = append(*lines, path+" as above")
		return
	}
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			fields(field.Type, path, lines, append(above, t))
			continue
		case options == "omitempty":
			name += "~"
		}
		fields(field.Type, path+"."+name, lines, append(above, t))
	}
}

// Every exported field has a name in JSON, in small letters.
func TestNames(t *testing.T) {
	for name, doc := range documents {
		var lines []string
		fields(reflect.TypeOf(doc), "", &lines, nil)
		for _, line := range lines {
			if strings.Contains(line, ". ") || strings.Contains(line, "..") || strings.ToLower(line) != line {
				t.Errorf("%s: a field without a name in small letters: %s", name, line)
			}
		}
	}
}

func TestEncodeCompletesTheHead(t *testing.T) {
	var out bytes.Buffer
	if err := Encode(&out, &Failure{Head{Command: "plan", Exit: 2, Error: &Error{Kind: KindUsage, Message: `unknown flag --ofline <&>`}}}); err != nil {
		t.Fatal(err)
	}
	want := `{
  "stopover": 1,
  "command": "plan",
  "exit": 2,
  "error": {
    "kind": "usage",
    "message": "unknown flag --ofline <&>"
  },
  "next": []
}
`
	if out.String() != want {
		t.Errorf("got:\n%s", out.String())
	}
}

func TestEncodeKnowsNoNullLists(t *testing.T) {
	now := time.Now()
	for name, doc := range map[string]Document{
		"status": &Status{Stores: []StoreStatus{{Begun: &Begun{Since: now}}}}, "list": &List{Stores: []StoreList{{Steps: []Step{{Done: &now}}}}},
		"plan": &Plan{Way: Way{Legs: []Leg{{Actions: []Action{{}}}}}}, "report": &Report{Violations: []Violation{{}}, Refused: []Refusal{{}}},
		"check": &Check{Stores: []StoreCheck{{}}}, "fleet": &Fleet{Components: []FleetComponent{{Instances: []Instance{{}}}}, Stores: []FleetStore{{}}}, "attest": &Attest{}, "lint": &Lint{}, "demo": &Demo{}, "unlock": &Unlock{}, "throttle": &Throttle{Stores: []StoreThrottle{{}}}, "new": &New{}, "import": &Import{}, "version": &VersionInfo{},
	} {
		var out bytes.Buffer
		if err := Encode(&out, doc); err != nil {
			t.Fatal(err)
		}
		var known = []string{`"error": null`, `"route": null`, `"begun": null`, `"lease": null`, `"control": null`, `"problem": null`, `"stop": null`, `"estimate": null`, `"done": null`, `"attestation": null`}
		for _, line := range strings.Split(out.String(), "\n") {
			line = strings.Trim(line, " ,")
			if strings.HasSuffix(line, "null") && !slices.Contains(known, line) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

func TestDecodePlan(t *testing.T) {
	var out bytes.Buffer
	plan := &Plan{Head: NewHead("plan"), Application: "shop", Way: Way{Mode: "live", Legs: []Leg{{Stop: &Stop{Range: Range{From: "1.5", To: "1.5", Text: "1.5"}}}}}, Inputs: Inputs{Hash: "abc"}}
	if err := Encode(&out, plan); err != nil {
		t.Fatal(err)
	}
	again := out.String()
	back, err := DecodePlan(&out)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, plan) {
		t.Errorf("got  %+v\nwant %+v", back, plan)
	}
	var second bytes.Buffer
	if err := Encode(&second, back); err != nil || second.String() != again {
		t.Errorf("written again it differs: %v\n%s", err, second.String())
	}
	for text, want := range map[string]string{
		`{"stopover": 2, "command": "plan"}`:   "the document has version 2, this stopover reads version 1",
		`{"stopover": 1, "command": "status"}`: `read the plan: this is the document of "status"`,
		`{`:                                    "read the plan: unexpected EOF",
		``:                                     "read the plan: EOF",
		`[]`:                                   "read the plan: json: cannot unmarshal array into Go value of type wire.Plan",
	} {
		if _, err := DecodePlan(strings.NewReader(text)); fmt.Sprint(err) != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	var version *VersionError
	if _, err := DecodePlan(strings.NewReader(`{"stopover": 7}`)); !errors.As(err, &version) || version.Found != 7 {
		t.Errorf("got %v", err)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("pipe closed") }

func TestEncodeReportsAFailingWriter(t *testing.T) {
	if err := Encode(closed{}, &New{Head: NewHead("new project")}); fmt.Sprint(err) != "write the document of new project: pipe closed" {
		t.Errorf("got %v", err)
	}
}

func TestErrorNamesItsPlace(t *testing.T) {
	for _, c := range []struct {
		err  Error
		want string
	}{
		{Error{Message: "m"}, "m"},
		{Error{Message: "m", Store: "main"}, "main: m"},
		{Error{Message: "m", Store: "main", Migration: "0042_currency"}, "main 0042_currency: m"},
		{Error{Message: "m", Store: "main", Migration: "0042_currency", Step: "backfill"}, "main 0042_currency.backfill: m"},
		{Error{Message: "m", Migration: "0042_currency", Step: "backfill"}, "0042_currency.backfill: m"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if got := (Event{Store: "main", Migration: "a", Step: "expand"}).Place(); got != "main a.expand" {
		t.Errorf("got %q", got)
	}
}
