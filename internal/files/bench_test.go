package files

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// manyFiles writes a project with n small migrations to a folder.
func manyFiles(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	folder := filepath.Join(dir, "migrations", "main")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		b.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	write(filepath.Join(dir, ConfigName), "application: many\nstores: {main: {url: \"sqlite:x\"}}\n")
	for i := range n {
		write(filepath.Join(folder, fmt.Sprintf("%05d_t.sql", i+1)), fmt.Sprintf("-- stopover: expand\nCREATE TABLE t%d (id integer PRIMARY KEY);\n-- stopover: undo-expand\nDROP TABLE t%d;\n", i, i))
	}
	return dir
}

func BenchmarkLoad5000(b *testing.B) {
	dir := manyFiles(b, 5000)
	b.ReportAllocs()
	for b.Loop() {
		p, err := Load(Disk(dir), ConfigName)
		if err != nil || len(p.Migrations) != 5000 {
			b.Fatal(err)
		}
	}
}

func BenchmarkCatalogue5000(b *testing.B) {
	p, err := Load(Disk(manyFiles(b, 5000)), ConfigName)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		cat, _, problems := p.Catalogue()
		if len(problems) > 0 || len(cat.Steps) != 5000 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkCatalogue10000Releases(b *testing.B) {
	config := "stores: {main: {url: x}}\nreleases:\n"
	for i := range 10_000 {
		config += fmt.Sprintf("  - \"%d.%d.%d\"\n", i/1000, i/10%100, i%10)
	}
	files := fstest.MapFS{ConfigName: {Data: []byte(config)}}
	for i := range 500 {
		files[fmt.Sprintf("migrations/main/%d_a.sql", i+1)] = &fstest.MapFile{Data: []byte(fmt.Sprintf("-- stopover: expand needs=%d.%d\nSELECT 1;\n", i/50, i%50))}
	}
	p, err := Load(files, ConfigName)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		cat, _, problems := p.Catalogue("9.99.9", "10.1")
		if len(problems) > 0 || len(cat.Releases) != 10_001 {
			b.Fatal(len(cat.Releases), problems)
		}
	}
}
