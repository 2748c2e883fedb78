package files

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/joho/godotenv"
)

// Layers are the places where a setting can be given, strongest first. A nil
// layer gives nothing. Names are those of flags: "lock-wait".
type Layers struct {
	Flags    map[string]string // flags that were given, without their dashes
	Env      Lookup            // the environment
	DotEnv   map[string]string // see DotEnv
	File     map[string]string // stopover.yaml: Project.Given
	Defaults map[string]string
}

// Setting is a setting's value and where it comes from.
type Setting struct {
	Value string
	From  string // "--lock-wait", "STOPOVER_LOCK_WAIT", "STOPOVER_LOCK_WAIT in .env", "lock_wait in stopover.yaml", "default"
}

// Find gives the setting of a name from the strongest layer that has it. A
// variable that is set but empty counts as not given.
func (l Layers) Find(name string) (Setting, bool) {
	key := strings.ReplaceAll(name, "-", "_")
	variable := "STOPOVER_" + strings.ToUpper(key)
	if value, found := l.Flags[name]; found {
		return Setting{Value: value, From: "--" + name}, true
	}
	if l.Env != nil {
		if value, found := l.Env(variable); found && value != "" {
			return Setting{Value: value, From: variable}, true
		}
	}
	if value := l.DotEnv[variable]; value != "" {
		return Setting{Value: value, From: variable + " in .env"}, true
	}
	if value, found := l.File[key]; found {
		return Setting{Value: value, From: key + " in " + ConfigName}, true
	}
	value, found := l.Defaults[name]
	return Setting{Value: value, From: "default"}, found
}

// Variable gives a variable from the environment or else from .env. It is the
// Lookup for Project.Expand.
func (l Layers) Variable(name string) (string, bool) {
	if l.Env != nil {
		if value, found := l.Env(name); found && value != "" {
			return value, true
		}
	}
	value, found := l.DotEnv[name]
	return value, found
}

// DotEnv reads the file .env of a project's folder; no file is no error. It
// changes nothing in the process's environment. The error is a *Problems and
// shows no value.
func DotEnv(fsys fs.FS) (map[string]string, error) {
	data, err := fs.ReadFile(fsys, ".env")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	place := Place{File: ".env"}
	if err != nil {
		return nil, one(Problem{Place: place, Message: "cannot be read: " + reason(err)})
	}
	values, err := godotenv.UnmarshalBytes(data)
	if err != nil {
		// The library's message shows the text that it did not understand,
		// which may be a secret: only the line is told.
		place.Line = faultyLine(string(data))
		return nil, one(Problem{Place: place, Message: "not understood", Next: "write lines of the form NAME=value"})
	}
	return values, nil
}

// faultyLine gives the line behind the longest part that can be understood.
func faultyLine(text string) int {
	lines := strings.SplitAfter(text, "\n")
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:n], "")); err == nil {
			return n + 1
		}
	}
	return 1
}
