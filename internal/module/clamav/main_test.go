package clamav

import (
	"os"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// streamLimit of the shared clamd.
const streamLimit = 32 << 20

// box and daemon are of the whole run: a clamd takes a while to start.
var (
	box    *harness.Sandbox
	daemon *harness.Clamd
)

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, func(s *harness.Sandbox) (err error) {
		box = s
		daemon, err = s.Clamd(harness.ClamdConfig{StreamMaxLength: streamLimit, MaxThreads: 4})
		return err
	}))
}
