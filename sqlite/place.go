package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// place is where a database file is, and how it is opened.
type place struct {
	file  string     // absolute
	query url.Values // of the URL: _pragma, mode, cache ..
}

// parsePlace understands sqlite:shop.db, sqlite:///abs/shop.db,
// file:shop.db?_pragma=.. and a plain path. Relative names are below dir.
func parsePlace(text, dir string) (place, error) {
	name, query, err := splitURL(text)
	if err != nil {
		return place{}, err
	}
	switch {
	case name == "":
		return place{}, errors.New("the url names no file: write sqlite:shop.db")
	case name == ":memory:" || query.Get("mode") == "memory" || query.Get("vfs") == "memdb":
		return place{}, errors.New("a database in memory is gone when its last connection ends, and every process has its own: give a file")
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	file, err := filepath.Abs(name)
	if err != nil {
		return place{}, fmt.Errorf("find the folder of %s: %w", name, err)
	}
	return place{file: file, query: query}, nil
}

// splitURL gives the file name and the query. In a plain path nothing is
// special; in URLs %XX is decoded.
func splitURL(text string) (name string, query url.Values, err error) {
	rest, isURL := text, false
	for _, scheme := range []string{"sqlite3:", "sqlite:", "file:"} {
		if tail, found := strings.CutPrefix(text, scheme); found {
			rest, isURL = tail, true
			break
		}
	}
	if !isURL {
		return text, url.Values{}, nil
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, tail, _ := strings.Cut(rest, "?")
	query, err = url.ParseQuery(tail)
	if err != nil {
		return "", nil, errors.New("the settings behind the question mark of the url are not understood") // they may be secrets
	}
	if tail, found := strings.CutPrefix(rest, "//"); found {
		// The authority may be left out; a name without a leading slash is
		// meant as a relative path, not as a host.
		rest = strings.TrimPrefix(tail, "localhost")
	}
	name, err = url.PathUnescape(rest)
	if err != nil {
		return "", nil, errors.New("the file name in the url is not understood: write % as %25")
	}
	return name, query, nil
}

// source gives the driver's name of the file. A missing file is made only with
// the mode "rwc".
func (p place) source(mode string) string {
	query := url.Values{}
	for key, values := range p.query {
		query[key] = values
	}
	if query.Get("mode") != "ro" {
		query.Set("mode", mode)
	}
	query.Set("_txlock", "immediate")
	if !query.Has("_busy_timeout") && !query.Has("_timeout") {
		query.Set("_busy_timeout", fmt.Sprint(slice)) // for the PRAGMAs of the URL
	}
	query.Set("_error_rc", "1")
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(p.file), RawQuery: query.Encode()}
	if u.Path[0] != '/' {
		u.Path = "/" + u.Path // C:/shop.db
	}
	return u.String()
}

// missing says whether there is no such file yet. It is an error if the folder
// is not there either: then the path is wrong.
func (p place) missing() (bool, error) {
	if p.file == "" {
		return false, nil // an open handle was given
	}
	info, err := os.Stat(p.file)
	if err == nil && info.IsDir() {
		return false, fmt.Errorf("%s is a folder, not a database file", p.file)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return false, nil // whatever it is, SQLite says it better
	}
	folder := filepath.Dir(p.file)
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		return true, fmt.Errorf("there is no folder %s for the database file %s: is the working directory the right one?", folder, filepath.Base(p.file))
	}
	return true, nil
}

func (p place) String() string {
	if p.file == "" {
		return "an open SQLite handle"
	}
	return "file " + p.file
}
