// Command compare has the same signed messages judged by tollgate with everything
// switched on and by rspamd as its package sets it up, both as milters, with the same
// DNS server and the same Redis, in turns: CPU and latency of a message, memory.
//
//	go run ./test/compare -n 4000
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
	"github.com/tollgate-mail/tollgate/test/player"
)

type options struct {
	messages, connections, rounds, rules int
}

func main() {
	var o options
	flag.IntVar(&o.messages, "n", 2000, "messages in each round")
	flag.IntVar(&o.connections, "c", 4, "connections at a time")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of both")
	flag.IntVar(&o.rules, "rules", 1000, "expressions on the Subject in tollgate's policy")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// contender is a milter that is measured.
type contender struct {
	name, socket string
	pid          int
	cpu          []time.Duration // a message, each round
	took         []time.Duration // each message
	kib          int64
}

func (o options) run() (err error) {
	s, err := harness.New()
	if err != nil {
		return err
	}
	defer func() {
		if closed := s.Close(); err == nil {
			err = closed
		}
	}()
	fmt.Fprintln(os.Stderr, "compare: building tollgate; starting nsd, Redis and rspamd (its rules take a while to load)")
	binary := s.Path("tollgate")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", binary, "./cmd/tollgate").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	messages, key, err := signed()
	if err != nil {
		return err
	}
	dns, err := s.NSD(map[string]string{".": zone(key)})
	if err != nil {
		return err
	}
	// Two servers: neither is to find what the other left.
	ours, err := s.Redis("--appendfsync", "everysec")
	if err != nil {
		return err
	}
	theirs, err := s.Redis("--appendfsync", "everysec")
	if err != nil {
		return err
	}
	gate, err := s.Tollgate(binary, "")
	if err != nil {
		return err
	}
	port, err := s.Port()
	if err != nil {
		return err
	}
	if err := os.WriteFile(gate.Policy, []byte(o.policy(gate.Milter, gate.State, dns.Addr, ours.Addr, harness.Loopback(port))), 0o600); err != nil {
		return err
	}
	if err := gate.Start(); err != nil {
		return fmt.Errorf("%w: %s", err, s.Logs())
	}
	other, err := s.RspamdMilter(dns.Addr, theirs.Addr)
	if err != nil {
		return err
	}
	both := []*contender{
		{name: "tollgate", socket: strings.TrimPrefix(gate.Milter, "unix:"), pid: gate.Process().PID()},
		{name: "rspamd", socket: other.Socket, pid: other.Process().PID()},
	}
	for i := range o.rounds + 1 {
		for _, c := range both {
			if err := c.round(o, messages, i > 0); err != nil { // caches are filled in the first
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		fmt.Fprintf(os.Stderr, "compare: round %d of %d\n", i, o.rounds)
	}
	report(both)
	return nil
}

func (c *contender) round(o options, messages []player.Message, counts bool) error {
	before, err := used(c.pid)
	if err != nil {
		return err
	}
	n := 0
	took, err := player.Play(c.socket, o.connections, o.messages, func() player.Message {
		n++
		return messages[n%len(messages)]
	})
	if err != nil {
		return err
	}
	after, err := used(c.pid)
	if err != nil {
		return err
	}
	if counts {
		c.cpu = append(c.cpu, (after.cpu-before.cpu)/time.Duration(o.messages))
		c.took = append(c.took, took...)
		c.kib = max(c.kib, after.kib)
	}
	return nil
}

func report(all []*contender) {
	fmt.Printf("%-10s %14s %12s %12s %12s\n", "", "CPU a message", "median", "99 of 100", "memory")
	for _, c := range all {
		slices.Sort(c.cpu)
		slices.Sort(c.took)
		fmt.Printf("%-10s %14v %12v %12v %8d MiB\n", c.name, median(c.cpu), median(c.took).Round(10*time.Microsecond),
			c.took[len(c.took)*99/100].Round(10*time.Microsecond), c.kib>>10)
	}
	fmt.Printf("CPU: %.3f of the other's\n", float64(median(all[0].cpu))/float64(median(all[1].cpu)))
}

func median(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }
