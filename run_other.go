//go:build !linux

package stopover

import "syscall"

// diesWithUs is known to Linux only.
func diesWithUs() *syscall.SysProcAttr { return nil }
