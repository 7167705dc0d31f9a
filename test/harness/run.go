package harness

import (
	"fmt"
	"os"

	"go.uber.org/goleak"
)

// Run runs the tests of a package, m, with a sandbox that all of them share:
// begin starts what they need in it, since many daemons take a while. Logs are
// shown when a test has failed; what is left running afterwards is a failure.
func Run(m interface{ Run() int }, begin func(*Sandbox) error) (code int) {
	box, err := New()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if code != 0 {
			fmt.Fprint(os.Stderr, box.Logs())
		}
		err := box.Close()
		if err == nil && code == 0 {
			err = goleak.Find()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	if err := begin(box); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
