package config

import (
	"fmt"
	"math"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/rules"
)

// describe says what a loaded policy is, for comparison; defaults that differ
// among systems and the texts of default replies are left out.
func describe(c *Config) string {
	var b strings.Builder
	line := func(key string, value any) {
		if s := fmt.Sprintf("%+v", value); s != "" && s != "[]" && s != "false" {
			fmt.Fprintf(&b, "%s: %s\n", key, s)
		}
	}
	unless := func(key, value, normal string) {
		if value != normal {
			line(key, value)
		}
	}
	unless("listen", strings.Join(c.Listen, " "), defaultListen)
	unless("state_dir", c.StateDir, defaultStateDir)
	unless("postfix_config", c.PostfixConfig, defaultPostfixConfig)
	unless("journal", c.JournalDir, defaultJournalDir)
	unless("maillog", c.FollowMaillog, "")
	line("trace protocol", c.Trace.Protocol)
	line("trace rules", c.Trace.Rules)
	line("syslog", c.Syslog)
	line("metrics", c.MetricsListen)
	line("location", c.Location)
	line("lists", c.Lists)
	if c.Redis != nil {
		line("redis", *c.Redis)
	}
	g := c.Gate
	line("gateway", g.Gateway)
	line("refuse at once", g.RefuseAtOnce)
	line("accept on error", g.AcceptOnError)
	line("report header", g.ReportHeader)
	line("skip clients", g.SkipClients)
	line("refuse", g.Refuse)
	line("outbound networks", g.OutboundNetworks)
	line("outbound authenticated", g.OutboundAuthenticated)
	line("split", g.Sharing.Split)
	line("over all", g.Sharing.OverAll)
	if g.ChargeSenders {
		line("charge senders", g.ChargeSenders)
	}
	for _, r := range replyTable {
		unless("reply "+r.key, describeReply(*r.into(&g.Replies)), r.text)
	}
	for _, t := range c.Tariffs {
		line("tariff", string(t.Canonical()))
	}
	for _, client := range g.Directory.Clients() {
		describeClient(&b, client)
	}
	for _, r := range g.Rules.Rules() {
		fmt.Fprintf(&b, "rule %s: %s weight %s %s%s%s%s\n", r.Name, r.Stage, r.Weight, r.Action,
			describeTags(r.Tags), word(" last", r.Last), word(" shadow", r.Shadow))
		line("  reply", describeReply(r.Reply))
	}
	for _, t := range g.Rules.Thresholds(math.MaxInt64) {
		fmt.Fprintf(&b, "threshold: above %s %s%s\n", t.Above, t.Action, describeTags(t.Tags))
		line("  reply", describeReply(t.Reply))
	}
	return b.String()
}

func word(name string, on bool) string {
	if on {
		return name
	}
	return ""
}

func describeReply(r *rules.Reply) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, expand(r.Text))
}

func expand(t rules.Template) string {
	return t.Expand(func(name string) string { return "<" + name + ">" })
}

func describeTags(t rules.Tags) string {
	s := ""
	if t.Subject != nil {
		s += fmt.Sprintf(" subject %q", expand(*t.Subject))
	}
	for _, h := range t.Headers {
		s += fmt.Sprintf(" header %q", h.Name+": "+strings.TrimSpace(expand(h.Value)))
	}
	return s
}

func describeClient(b *strings.Builder, c *accounting.Client) {
	fmt.Fprintf(b, "client %s %q: %s%s%s", c.ID, c.Name, strings.Join(c.Addresses, " "), word(" disabled", c.Disabled), word(" unfiltered", c.NoFilter))
	if len(c.Logins)+len(c.Networks) > 0 {
		fmt.Fprintf(b, " logins %v networks %v", c.Logins, c.Networks)
	}
	if !c.ValidFrom.IsZero() {
		fmt.Fprintf(b, " from %s", c.ValidFrom.Format("2006-01-02"))
	}
	if !c.Expires.IsZero() {
		fmt.Fprintf(b, " until %s", c.Expires.Format("2006-01-02"))
	}
	if c.Schedule != nil {
		fmt.Fprintf(b, " %s (%s)", c.Schedule, c.Location)
	}
	if c.Tariff != "" {
		fmt.Fprintf(b, " under %s by the %s of %s", c.Tariff, c.Period, c.Zone)
	}
	if c.Limited() {
		fmt.Fprintf(b, " mode %d, quota %d, %d a day, credit %d", c.Mode, c.Quota, c.QuotaDay, c.CreditLimit)
	}
	b.WriteString("\n")
}
