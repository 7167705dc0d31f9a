package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/script"
)

func (s *session) kill(script.Step) error       { return s.gate.Process().Kill() }
func (s *session) startAgain(script.Step) error { return s.gate.Start() }
func (s *session) term(script.Step) error       { return s.gate.Process().Signal(syscall.SIGTERM) }
func (s *session) hup(script.Step) error        { return s.gate.Process().Signal(syscall.SIGHUP) }

// ended waits until the daemon has ended by itself, well.
func (s *session) ended(script.Step) error {
	if err := s.gate.Process().Wait(harness.Patience); err != nil {
		return err
	}
	if code := s.gate.Process().ExitCode(); code != 0 {
		return fmt.Errorf("exit code %d", code)
	}
	return nil
}

func (s *session) store(step script.Step) error {
	if step.Arg == "stop" {
		return s.redis.Stop()
	}
	return s.redis.Start()
}

// install puts another file of the case in the place of one of the policy's:
// "install FILE as NAME".
func (s *session) install(step script.Step) error {
	file, name, ok := strings.Cut(step.Arg, " as ")
	if !ok {
		return fmt.Errorf("want: install FILE as NAME")
	}
	return installFile(filepath.Join(s.dir, file), s.box.Path("policy", name), s.gateway)
}

func (s *session) sendmail(step script.Step) error {
	message := []byte(strings.Join(step.Text, "\n") + "\n")
	return s.postfix.Sendmail(message, strings.Fields(step.Arg)...)
}

// logs waits until the daemon's log has a line that matches.
func (s *session) logs(step script.Step) error {
	re, err := regexp.Compile(step.Arg)
	if err != nil {
		return err
	}
	return eventually(harness.Patience, func() error {
		text, err := os.ReadFile(s.box.Path("tollgate.log"))
		if err == nil && !re.Match(text) {
			err = fmt.Errorf("nothing in the log matches")
		}
		return err
	})
}

// delivers waits until so many messages have arrived at the next hop.
func (s *session) delivers(step script.Step) error {
	n, err := strconv.Atoi(step.Arg)
	if err != nil {
		return err
	}
	ctx, cancel := contextFor(s.t, harness.Patience)
	defer cancel()
	return s.sink.Wait(ctx, n)
}
