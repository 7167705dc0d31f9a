package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is a daemon that runs in a process group of its own.
type Process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // of Wait; read only after done
}

// start runs argv with its output in the log file, which it appends to.
// lastWord is the signal it gets when this process dies before it.
func start(name, log string, lastWord syscall.Signal, argv ...string) (*Process, error) {
	return startAs(nil, name, log, lastWord, argv...)
}

// startAs is start as another user, nil for the same. A daemon that changes
// its user by itself would never hear the last word: Linux forgets it then.
func startAs(user *syscall.Credential, name, log string, lastWord syscall.Signal, argv ...string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	defer out.Close() // the child has its own descriptor
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: lastWord, Credential: user}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("harness: start %s: %w", name, err)
	}
	p := &Process{name: name, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended tells whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Signal sends sig to the process alone.
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Wait waits for the end.
func (p *Process) Wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("harness: %s still runs after %v", p.name, limit)
	}
}

// ExitCode of a process that has ended; -1 when a signal ended it.
func (p *Process) ExitCode() int {
	<-p.done
	return p.cmd.ProcessState.ExitCode()
}

// Kill ends the process with SIGKILL and waits for its end.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("harness: kill %s: %w", p.name, err)
	}
	return p.Wait(Patience)
}

// Stop ends the process with SIGTERM, and its whole group with SIGKILL when
// it does not follow within the limit, which is then an error.
func (p *Process) Stop(limit time.Duration) error {
	if p.Ended() {
		return nil
	}
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("harness: stop %s: %w", p.name, err)
	}
	err := p.Wait(limit)
	if err != nil {
		err = errors.Join(err, syscall.Kill(-p.PID(), syscall.SIGKILL))
	}
	return err
}

// await polls until ready says nil, the process has ended, or the limit has
// passed. There is no event to wait for where a daemon begins to listen.
func (p *Process) await(ready func() error, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("harness: %s ended while starting: %v", p.name, p.err)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("harness: %s is not ready after %v: %w", p.name, limit, err)
		}
	}
}
