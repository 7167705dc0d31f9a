// Tollgate stands beside Postfix on a mail gateway: it judges mail stage by
// stage, marks what is suspicious, and keeps the account of what every
// recipient's mail weighs.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // time zones of schedules and reports, where the system has none
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}
