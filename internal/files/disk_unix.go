//go:build unix

package files

import (
	"errors"
	"syscall"
)

// quickly reads a file by its path without an *os.File, which would cost more
// than the reading. It gives up at anything unusual: a file that is longer than
// the buffer, or cannot be opened or read.
func (r *textReader) quickly(path string) (string, bool) {
	if r.buffer == nil {
		r.buffer = make([]byte, 64<<10)
	}
	file, err := again(func() (int, error) {
		return syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	})
	if err != nil {
		return "", false
	}
	defer func() { _ = syscall.Close(file) }() // it was only read
	for size := 0; size < len(r.buffer); {
		n, err := again(func() (int, error) { return syscall.Read(file, r.buffer[size:]) })
		switch {
		case err != nil:
			return "", false
		case n == 0:
			return string(r.buffer[:size]), true
		}
		size += n
	}
	return "", false
}

// again repeats a call of the system that a signal interrupted.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
