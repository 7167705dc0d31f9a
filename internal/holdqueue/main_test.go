package holdqueue

import (
	"os"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// The Postfix of the whole run: it holds whatever has "X-Hold:" in its header.
var (
	box     *harness.Sandbox
	sink    *harness.Sink
	postfix *harness.Postfix
)

func TestMain(m *testing.M) { os.Exit(harness.Run(m, start)) }

func start(s *harness.Sandbox) (err error) {
	box = s
	if sink, err = box.Sink(); err != nil {
		return err
	}
	checks := box.Path("header_checks")
	if err := os.WriteFile(checks, []byte("/^X-Hold:/ HOLD\n"), 0o644); err != nil {
		return err
	}
	postfix, err = box.Postfix(harness.PostfixConfig{
		NextHop: sink.Addr(),
		Settings: []string{
			"smtpd_milters =", "non_smtpd_milters =", "header_checks = regexp:" + checks,
			// Only what is hurried goes out.
			"queue_run_delay = 1h", "minimal_backoff_time = 1h", "maximal_backoff_time = 1h",
		},
	})
	return err
}
