package files

import (
	"io/fs"
	"os"
)

// Disk gives the files of a folder on this machine, like os.DirFS, for Load:
// thousands of small files are read with as few calls of the system as can be.
// Every run reads them all, also when there is nothing to do, to tell whether
// one was edited.
func Disk(dir string) fs.FS { return disk{FS: os.DirFS(dir), dir: dir} }

// disk is os.DirFS with another way to read a file whole.
type disk struct {
	fs.FS
	dir string
}

// ReadFile reads a file. An error is that of os.DirFS, with the name within the
// folder.
func (d disk) ReadFile(name string) ([]byte, error) { return fs.ReadFile(d.FS, name) }

// ReadDir lists a folder, ordered by name.
func (d disk) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(d.FS, name) }

// Stat describes a file.
func (d disk) Stat(name string) (fs.FileInfo, error) { return fs.Stat(d.FS, name) }

// textReader reads files one after the other, with one buffer for all.
type textReader struct {
	fsys   fs.FS
	buffer []byte
}

// text gives a file's content.
func (r *textReader) text(name string) (string, error) {
	if d, onDisk := r.fsys.(disk); onDisk && fs.ValidPath(name) {
		if text, read := r.quickly(d.dir + "/" + name); read {
			return text, nil
		}
		// Whatever was in the way is told by the long way.
	}
	data, err := fs.ReadFile(r.fsys, name)
	return string(data), err
}
