package doctor

import (
	"strings"
	"time"
)

// longWaiting is how long a record may wait for the store before somebody should
// know; recent is how late a changed file may go into force.
const (
	longWaiting = 10 * time.Minute
	recent      = 10 * time.Minute
)

func (e *examination) policy() {
	if e.Policy.Errors > 0 {
		e.fault("policy-bad", advice{"a restart would not come up, and a reload is refused", "tollgate check"}, "%s has %d errors", e.Policy.File, e.Policy.Errors)
	}
}

func (e *examination) daemon() {
	d := &e.Daemon
	if !d.Running {
		e.fault("daemon-down", advice{"Postfix answers all mail 451 while it is attached to a tollgate that does not run", "systemctl start tollgate"}, "tollgate does not run")
		return
	}
	if d.Version != d.Binary {
		e.warn("daemon-old", advice{"what was mended since is not in force", "systemctl restart tollgate"}, "version %s runs, %s is installed", d.Version, d.Binary)
	}
	if e.Policy.Errors == 0 && e.Policy.Changed.After(d.Loaded) && e.Now.Sub(e.Policy.Changed) > recent {
		e.warn("policy-not-loaded", advice{"mail is judged by the old policy, and the new one comes by surprise with the next restart", "tollgate reload"},
			"%s was changed %s and not loaded since", e.Policy.File, e.Policy.Changed.Format(time.DateTime))
	}
	if d.Waiting > 0 && e.Now.Sub(d.Oldest) > longWaiting {
		e.fault("records-wait", advice{"reports and balances lack them, and the disk fills", "tollgate status"},
			"%d usage records are not in the store, the oldest since %s", d.Waiting, d.Oldest.Format(time.DateTime))
	}
	if d.Parked > 0 {
		e.warn("records-parked", advice{"they are billed to nobody until somebody decides", "tollgate parked list"}, "%d usage records are parked", d.Parked)
	}
	if d.Unconfined {
		e.warn("daemon-unconfined", advice{"whoever found a fault in what reads mail could read and write all that its user may",
			"confine = \"on\" in [gateway], then systemctl restart tollgate"}, "tollgate keeps every file in reach, and this kernel has Landlock")
	}
	for _, text := range d.Degraded {
		e.warn("daemon-degraded", advice{"tollgate itself says so", "tollgate status"}, "%s", text)
	}
}

func yes(value string) bool { return strings.EqualFold(value, "yes") }
