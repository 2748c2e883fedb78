package testserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is one server process. It is killed by the kernel when the test
// binary dies, however it dies.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
}

// launch starts a program in dir, with its output in dir/log. As root it runs
// as the user who owns dir, since servers refuse to be root.
func launch(owner *syscall.Credential, dir, name string, arg ...string) (*process, error) {
	log, err := os.OpenFile(dir+"/log", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	// An *os.File as output needs no copying goroutine.
	cmd := exec.Command(name, arg...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), log.Close())
	}
	return &process{name: name, cmd: cmd, log: log}, nil
}

// end sends a signal and waits; after five seconds it kills.
func (p *process) end(signal os.Signal) error {
	defer p.log.Close()
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	kill := time.AfterFunc(5*time.Second, func() { p.cmd.Process.Kill() })
	defer kill.Stop()
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("wait for %s: %w", p.name, err)
	}
	return nil
}

// alive is false once the process has ended, which it is not reaped for here.
func (p *process) alive() bool {
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(p.cmd.Process.Pid, &status, syscall.WNOHANG, nil)
	return err == nil && pid == 0
}

// unprivileged gives the identity for servers that refuse to be root: that of
// the user postgres where there is one, else nobody; nil when not root.
func unprivileged() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if credential, found := lookup(name); found {
			return credential
		}
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534}
}
