// Command packages tries a Debian package on the system it runs on, which is to
// be a bare one with systemd and a stock Postfix: it installs, attaches, upgrades
// while mail flows, removes and purges. test/packages.sh boots such a system for
// it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	old := flag.String("old", "", "the package to begin with; empty for the new one")
	fresh := flag.String("new", "", "the package to try")
	flag.Parse()
	h := &host{old: *old, fresh: *fresh, began: time.Now()}
	if h.old == "" {
		h.old = h.fresh
	}
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"install: Postfix is left as it is, the unit waits for a policy", h.install},
		{"the unit: verify, security", h.unit},
		{"policy, start, attach, the first message", h.first},
		{"upgrade while mail flows", h.upgrade},
		{"confined to its files", h.confined},
		{"a version that refuses the policy does not stop the old one", h.refused},
		{"remove: mail flows without us", h.remove},
		{"purge keeps what is not in the store", h.purge},
		{"purge takes what is", h.purgeDrained},
	} {
		h.say("--- %s", s.name)
		// A step takes seconds; what is longer hangs.
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		err := s.do(ctx)
		cancel()
		if err != nil {
			h.say("FAILED: %s: %v", s.name, err)
			os.Exit(1)
		}
	}
	h.say("ok")
}

func (h *host) say(format string, args ...any) {
	fmt.Printf("%6.1f s  %s\n", time.Since(h.began).Seconds(), fmt.Sprintf(format, args...))
}
