package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/tally"
)

// PackFor is how long one request packs journals before it begins no further file:
// whoever asks sees how it goes on.
const PackFor = 20 * time.Second

// answers are what the daemon does for each command.
func (d *Daemon) answers() map[string]control.Handler {
	return d.takeoverAnswers(d.policyAnswers(d.accountAnswers(d.reconcileAnswers(map[string]control.Handler{
		CmdFlush:  func(context.Context, json.RawMessage) (any, error) { return nil, d.journals.Journal().Flush() },
		CmdHeld:   control.Privileged(d.answerHeld),
		CmdParked: control.Privileged(d.answerParked),
		CmdReload: control.Privileged(d.answerReload),
		CmdReport: d.answerReport,
		CmdVerify: d.answerVerify,

		CmdMaillog: control.Privileged(d.answerMaillog),

		CmdPack: control.Privileged(func(ctx context.Context, _ json.RawMessage) (any, error) {
			return d.journals.Journal().Pack(ctx, 0, time.Now().Add(PackFor), true)
		}),
		CmdStatus: func(ctx context.Context, _ json.RawMessage) (any, error) { return d.Status(ctx), nil },
		CmdTrace:  control.Privileged(d.answerTrace),
		CmdWatch:  control.Privileged(d.answerWatch),
		CmdLook:   d.answerLook,
	}))))
}

// Draining tells whether no new sessions are taken any more.
func (d *Daemon) Draining() bool { return d.milter.Status().Draining }

// Spools tells whether usage records can be spooled: mail for clients is deferred
// otherwise. One that could not is tried again.
func (d *Daemon) Spools() bool {
	d.mu.Lock()
	spooled := d.spool
	d.mu.Unlock()
	if spooled.Status().WriteError != "" {
		spooled.Probe()
	}
	return spooled.Status().WriteError == ""
}

// Status is what is up, what is degraded, what waits. It asks the store how it
// is, for some seconds at most.
func (d *Daemon) Status(ctx context.Context) Status {
	d.mu.Lock()
	policy, listen, store, books, spooled, commands := d.policy, d.cfg.Listen, d.storeIs, d.store, d.spool, d.control
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := books.Ping(ctx); err != nil {
		store.Error = err.Error()
	}
	store.Warnings = []string{}
	d.Spools()
	if store.Error == "" {
		var err error
		if store.Parked, err = books.ParkedCount(ctx); err != nil {
			store.Error = err.Error()
		}
	}
	if w, ok := books.(interface {
		Warnings(ctx context.Context) []string
	}); ok && store.Error == "" {
		store.Warnings = append(store.Warnings, w.Warnings(ctx)...)
	}
	s := Status{
		Gateway: d.judge.Gate().Policy().Gateway, Version: d.version, PID: os.Getpid(),
		Started: d.started.UTC(), Uptime: int64(time.Since(d.started).Seconds()),
		Policy: policy, Listen: listen, Milter: d.milter.Status(), Mail: d.tally.Figures(), Control: commands.Socket(),
		Spool: spooled.Status(), Store: store, Clients: d.accounts.Status(), Records: d.conservation.Load(), Journal: d.journals.Journal().Status(), Trace: d.traceNow(),
		Limits: d.judge.Gate().Limits(), Inspectors: d.inspectors.Status(), Lists: d.lists.Status(), DNS: d.resolvers.Stats(), State: d.memories.Status(),
	}
	for _, r := range d.judge.Gate().Policy().Rules.Rules() {
		if at := slices.IndexFunc(s.Mail.Rules, func(row tally.Rule) bool { return r.Shadow && row.Rule == r.Name }); at >= 0 {
			s.Mail.Rules[at].Shadow = true
		}
	}
	s.Shadow, s.SelfCheck = d.shadowState(), d.selfCheck()
	s.Canary, _ = d.canaryState() // one that cannot be read is in the log
	s.Maillog = d.followed.Status(time.Now())
	s.Confined = d.confined
	s.Degraded = append(s.degraded(time.Now()), s.Maillog.degraded()...)
	if problem := runsAsRoot(); problem != "" {
		s.Degraded = append(s.Degraded, problem)
	}
	s.Degraded = append(s.Degraded, d.removed(store)...)
	for _, problem := range append(d.lost.All(), d.seals.Problem()) {
		if problem != "" {
			s.Degraded = append(s.Degraded, problem)
		}
	}
	return s
}

// removed tells of files that somebody removed while they are in use: databases go on
// without a name, until the process ends.
func (d *Daemon) removed(store assemble.StoreStatus) (all []string) {
	if dir := d.config().StateDir; d.lock != nil && d.lock.Removed(dir) {
		all = append(all, fmt.Sprintf("the lock of %s was removed: another tollgate could be started in it; restart this one", dir))
	}
	var paths []string
	if store.Kind == "embedded" {
		paths = append(paths, store.Place)
	}
	if d.memories.Snapshooter() != nil {
		paths = append(paths, filepath.Join(d.config().StateDir, d.memories.File()))
	}
	for _, path := range paths {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			all = append(all, fmt.Sprintf("%s was removed while it is in use, and is lost when tollgate ends: do not restart it before \"tollgate backup\"", path))
		}
	}
	return all
}

// degraded is what an operator should look at.
func (s *Status) degraded(now time.Time) []string {
	all := []string{}
	note := func(format string, args ...any) {
		all = append(all, strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")) // of joined errors
	}
	if s.Policy.ReloadError != "" {
		note("the last reload was refused, %s: %s", local(s.Policy.ReloadFailed), s.Policy.ReloadError)
	}
	if s.Policy.HistoryError != "" {
		note("the policy in force is not kept in the history: %s", s.Policy.HistoryError)
	}
	if c := &s.Canary; c.BySelf() && now.Sub(c.Ended) < 24*time.Hour {
		note("the canary of %s went back to the old policy, %s: %s", c.File, local(c.Ended), c.Reason)
	}
	if n := s.SelfCheck.Different + s.SelfCheck.Panics; n > 0 {
		note("%s judged twice came out otherwise: see \"tollgate journal shadow\"", Plural(int(n), "message"))
	}
	if s.Confined.Fault {
		note("the daemon is not confined: %s", s.Confined.Error)
	}
	for _, r := range s.Policy.Restart {
		note("%s was changed: it needs a restart", r)
	}
	if s.Store.Error != "" {
		note("the store cannot be used: %s", s.Store.Error)
	}
	if s.Store.Parked > 0 {
		note("%s parked, in no bill until somebody decides: see \"tollgate parked list\"", Plural(int(s.Store.Parked), "usage record"))
	}
	if c := s.Records; c != nil && c.Missing != 0 {
		what := fmt.Sprintf("%d missing", c.Missing)
		if c.Missing < 0 {
			what = fmt.Sprintf("%d too many", -c.Missing)
		}
		note("%d usage records were spooled, and the store has %d that were applied, parked or given up, %s: see \"tollgate audit\"",
			c.Spooled-c.Waiting, c.Applied+c.Parked+c.Dropped, what)
	}
	if c := s.Clients; c != nil {
		switch {
		case c.Error != "" && c.Read.IsZero():
			note("no clients are known, recipients are deferred since %s: %s", local(c.Since), c.Error)
		case c.Error != "":
			note("clients are those of %s: %s", local(c.Read), c.Error)
		}
		for _, p := range c.Problems {
			note("client %s", p)
		}
		if more := c.Count - len(c.Problems); more > 0 {
			note("and %d more problems with clients", more)
		}
	}
	for _, w := range s.Store.Warnings {
		note("store: %s", w)
	}
	if silence := s.Silence(now); silence != "" {
		note("%s", silence)
	}
	if s.Milter.Faults > 0 {
		note("%s since the start: see the log for \"internal fault\"", Plural(int(s.Milter.Faults), "internal fault"))
	}
	for _, u := range s.Milter.Sockets {
		if u.Error != "" {
			note("Postfix cannot reach %s: %s", u.Path, u.Error)
		}
		if u.Remade > 0 {
			note("%s was gone from disk and has been made anew %s", u.Path, Plural(u.Remade, "time"))
		}
	}
	if s.Milter.Refused > 0 {
		note("%s refused for want of room", Plural(int(s.Milter.Refused), "connection"))
	}
	if s.Spool.WriteError != "" {
		note("mail for clients is deferred since %s, usage records cannot be spooled: %s", local(s.Spool.WriteFailed), s.Spool.WriteError)
	}
	switch {
	case s.Spool.LastError != "" && s.Spool.Waiting == 0:
		note("the store could not be used since %s; no new record waits, and what it has kept of those before is compared when it answers: %s", local(s.Spool.ErrorSince), s.Spool.LastError)
	case s.Spool.LastError != "":
		note("records wait in the spool since %s: %s", local(s.Spool.ErrorSince), s.Spool.LastError)
	}
	if s.Spool.SetAside > 0 {
		note("%s of the spool set aside: see its folder", Plural(s.Spool.SetAside, "damaged piece"))
	}
	for _, i := range s.Inspectors {
		if i.State == "degraded" || i.State == "away" {
			note("%s is %s since %s: %s", i.Name, i.StateText(), local(i.Since), i.LastError)
		}
		if i.Limit != "" {
			note("%s: %s", i.Name, i.Limit)
		}
	}
	for _, l := range s.Lists {
		if l.Failed > 0 {
			note("list %s cannot be read, and rules that look into it do not apply (%s so far): %s: %s", l.Name, Plural(int(l.Failed), "look-up"), l.File, l.LastError)
		}
	}
	if s.DNS != nil {
		for _, server := range s.DNS.Servers {
			if server.State == dnscheck.Down {
				note("DNS server %s is %s: %s", server.Addr, server.State, server.LastError)
			}
		}
	}
	if s.State != nil && s.State.Error != "" {
		note("the state store fails since %s: %s; nothing is greylisted", localText(s.State.Since), s.State.Error)
	}
	for _, k := range s.Journal.Kinds {
		if k.LastError != "" {
			note("journal %s cannot be written since %s: %s", k.Kind, local(k.ErrorSince), k.LastError)
		}
		if k.Elsewhere != "" {
			note("journal %s: %s", k.Kind, k.Elsewhere)
		}
		if k.Lost > 0 {
			note("journal %s lost %s", k.Kind, Plural(int(k.Lost), "line"))
		}
	}
	return all
}

// local is a time in the zone of the daemon.
func local(t time.Time) string { return t.Local().Format(time.DateTime) }

// localText is a time of RFC 3339 in the zone of the daemon.
func localText(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return local(t)
}

// span is how long something has lasted, in whole seconds.
func span(d time.Duration) string { return d.Round(time.Second).String() }

// degraded is what an operator should look at.
func (s *MaillogStatus) degraded() []string {
	if s == nil {
		return nil
	}
	var all []string
	if s.Error != "" {
		all = append(all, "Postfix's log cannot be read: "+s.Error)
	}
	if s.Gap != "" {
		all = append(all, "lines of Postfix's log may have been missed: "+s.Gap+`; see "tollgate reconcile"`)
	}
	if s.Unknown > 0 {
		all = append(all, fmt.Sprintf(`%s charged that Postfix's log does not tell to be queued%s: see "tollgate reconcile"`, Plural(int(s.Unknown), "message"), s.which()))
	}
	return all
}

// which names the first of them.
func (s *MaillogStatus) which() string {
	if len(s.UnknownIDs) == 0 {
		return ""
	}
	text := " (" + strings.Join(s.UnknownIDs, ", ")
	if int64(len(s.UnknownIDs)) < s.Unknown {
		text += ", ..."
	}
	return text + ")"
}
