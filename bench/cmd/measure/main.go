// Command measure runs a program and prints, as JSON, how long it took, how
// much processor time it used (both in nanoseconds) and its most resident
// memory in bytes. What the program prints on its standard output is thrown
// away.
//
// It is small on purpose: on Linux a new program's peak of memory begins with
// that of the process that started it.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: measure PROGRAM [ARGUMENT...]")
		os.Exit(2)
	}
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stderr = os.Stderr
	begun := time.Now()
	err := cmd.Run()
	wall := time.Since(begun)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(max(exit.ExitCode(), 1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	fmt.Printf(`{"Wall":%d,"CPU":%d,"Peak":%d}`+"\n", wall, cpu, usage.Maxrss<<10)
}
