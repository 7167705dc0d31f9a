package holdqueue

import (
	"fmt"
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

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	err := start()
	defer func() {
		if box == nil {
			return
		}
		if code != 0 {
			fmt.Fprint(os.Stderr, box.Logs())
		}
		if err := box.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func start() (err error) {
	if box, err = harness.New(); err != nil {
		return err
	}
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
