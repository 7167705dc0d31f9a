package clamav

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// streamLimit of the shared clamd.
const streamLimit = 32 << 20

// box and daemon are of the whole run: a clamd takes a while to start.
var (
	box    *harness.Sandbox
	daemon *harness.Clamd
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	var err error
	if box, err = harness.New(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if code != 0 {
			fmt.Fprint(os.Stderr, box.Logs())
		}
		if err := box.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		// Whatever clamd did in between, nothing of it is left.
		if err := goleak.Find(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	daemon, err = box.Clamd(harness.ClamdConfig{StreamMaxLength: streamLimit, MaxThreads: 4})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
