// Package moduletest holds every inspector to what module.Inspector promises:
// whatever the service behind it does, and whatever becomes of the message,
// there is a finding about the whole message or an error, soon, and nothing
// is left behind.
package moduletest

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// Subject is an inspector under test.
type Subject struct {
	// New makes one that asks the service at an address, named as for
	// net.Dial. Both are "" for an inspector without a service.
	New func(network, address string) (module.Inspector, error)
	// Service is how the service talks, nil where there is none.
	Service *Service
	// Exceptions are what the inspector cannot do, by the name of the check
	// without the network, each with the reason. They are tried too, and
	// skipped when they fail.
	Exceptions map[string]string
}

// Service is how a service talks. Each connection serves one inspection or
// ping, and is closed after the answer.
type Service struct {
	// Networks are those that the inspector can use: "unix", "tcp".
	Networks []string
	// Receive reads what comes before an answer to an inspection, and returns
	// the message in it. There may be more in front of the message. An error
	// says that it does not come, or not to its end.
	Receive func(*bufio.Reader) ([]byte, error)
	// Answers are good ones, with what they mean; at least one. Every shorter
	// part of them must be recognizably cut.
	Answers []Answer
	// ReceivePing reads what comes before an answer to a ping, Pong is one.
	ReceivePing func(*bufio.Reader) error
	Pong        string
}

// Answer is one of a service to an inspection.
type Answer struct {
	Text    string
	Finding module.Finding
}

// Run tests s. It must not run beside other tests of its process, whose
// goroutines it would take for those of s.
func Run(t *testing.T, s Subject) {
	t.Helper()
	s.each(func(name, exception string, run func() error) {
		t.Run(name, func(t *testing.T) {
			err := run()
			if err != nil && exception != "" {
				t.Skipf("%s: %v", exception, err)
			}
			if err != nil {
				t.Error(err)
			}
		})
	})
}

// each gives f every check that makes sense for s.
func (s Subject) each(f func(name, exception string, run func() error)) {
	unknown := maps.Clone(s.Exceptions)
	networks, checks := []string{""}, append(messageChecks(), localChecks()...)
	if s.Service != nil {
		networks, checks = s.Service.Networks, append(messageChecks(), serviceChecks(s.Service)...)
	}
	for _, c := range checks {
		patience, exception := patience, s.Exceptions[c.name]
		if exception != "" {
			patience = impatience
		}
		delete(unknown, c.name)
		for _, network := range networks {
			f(path.Join(network, c.name), exception, func() error { return s.try(network, patience, c) })
		}
	}
	for name := range unknown {
		f(name, "", func() error { return errors.New("an exception of no check") })
	}
}

// check is something to find out; the error of run is what is wrong.
type check struct {
	name string
	run  func(*trial) error
}

const (
	// patience is how long anything may take that must not hang. Nothing that
	// is right comes near to it.
	patience = 20 * time.Second
	// impatience is for what is known to hang.
	impatience = 200 * time.Millisecond
)

// trial is one run of a check.
type trial struct {
	subject  Subject
	patience time.Duration
	network  string
	dir      string // of sockets and messages
	stasher  *module.Stasher
}

// try runs a check.
func (s Subject) try(network string, patience time.Duration, c check) error {
	others := goleak.IgnoreCurrent()
	// Not testing's folder: the path of a socket has at most 104 octets.
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		return err
	}
	err = c.run(&trial{
		subject: s, patience: patience, network: network,
		dir: dir, stasher: &module.Stasher{Dir: dir, Memory: memory},
	})
	if err == nil {
		err = goleak.Find(others)
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// withService runs f with an inspector of a service that plays play on each of
// its connections, or of none if it has none. Both are gone afterwards.
func (t *trial) withService(play script, f func(module.Inspector) error) (err error) {
	if t.subject.Service == nil {
		return t.with("", f)
	}
	server, err := serve(t.network, t.dir, play)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close(t.patience)) }()
	return t.with(server.address, f)
}

// with runs f with an inspector of the service at an address.
func (t *trial) with(address string, f func(module.Inspector) error) error {
	inspector, err := t.subject.New(t.network, address)
	if err != nil {
		return fmt.Errorf("making an inspector: %w", err)
	}
	if err := f(inspector); err != nil {
		return errors.Join(err, inspector.Close())
	}
	if err := inspector.Close(); err != nil {
		return fmt.Errorf("closing the inspector: %w", err)
	}
	return nil
}
