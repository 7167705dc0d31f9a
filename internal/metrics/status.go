package metrics

import (
	"context"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
)

// status are the figures that the daemon's status has, read when they are asked
// for.
type status struct{ m *Metrics }

// row is a figure of the status: one sample for each yield.
type row struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(s *daemon.Status, yield yield)
}

type yield func(value float64, labels ...string)

func gauge(name, help string, read func(*daemon.Status, yield), labels ...string) row {
	return row{prometheus.NewDesc("tollgate_"+name, help, labels, nil), prometheus.GaugeValue, read}
}

func counter(name, help string, read func(*daemon.Status, yield), labels ...string) row {
	return row{prometheus.NewDesc("tollgate_"+name+"_total", help, labels, nil), prometheus.CounterValue, read}
}

// one is a figure without labels.
func one[N int | int64](of func(*daemon.Status) N) func(*daemon.Status, yield) {
	return func(s *daemon.Status, y yield) { y(float64(of(s))) }
}

// at is a time, 0 for never.
func at(of func(*daemon.Status) time.Time) func(*daemon.Status, yield) {
	return func(s *daemon.Status, y yield) { y(unix(of(s))) }
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixNano()) / float64(time.Second)
}

// yes is 1 for true.
func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// rows are all figures of the status.
func rows() []row {
	all := append(mailRows(), daemonRows()...)
	all = append(all, accountRows()...)
	all = append(all, inspectorRows()...)
	all = append(all, trialRows()...)
	return append(all, dnsRows()...)
}

func mailRows() []row {
	return []row{
		counter("messages", "Messages that came to their end, by verdict and by the stage that decided.", func(s *daemon.Status, y yield) {
			for _, v := range s.Mail.Verdicts {
				for _, stage := range v.Stages {
					y(float64(stage.Total), v.Verdict, stage.Stage)
				}
			}
		}, "verdict", "stage"),
		counter("recipients", "Recipients of those messages, by the answer to RCPT TO.", func(s *daemon.Status, y yield) {
			for _, a := range s.Mail.Recipients {
				y(float64(a.Total), a.Answer)
			}
		}, "answer"),
		counter("rule_hits", "Messages that a rule matched, shadow rules included.", func(s *daemon.Status, y yield) {
			for _, r := range s.Mail.Rules {
				y(float64(r.Total), r.Rule)
			}
		}, "rule"),
		gauge("last_message_timestamp_seconds", "When a message last came to its end; 0 for never.", at(func(s *daemon.Status) time.Time { return s.Mail.Last })),
	}
}

func daemonRows() []row {
	return []row{
		gauge("build_info", "Always 1; says which tollgate runs.", func(s *daemon.Status, y yield) { y(1, s.Version, runtime.Version()) }, "version", "go_version"),
		gauge("confinement_abi", "ABI of Landlock that keeps the daemon to its files; 0: it is not confined.", one(func(s *daemon.Status) int { return s.Confined.ABI })),
		gauge("start_timestamp_seconds", "When the daemon was started.", at(func(s *daemon.Status) time.Time { return s.Started })),
		gauge("findings", "What an operator should look at; tollgate status names it.", one(func(s *daemon.Status) int { return len(s.Degraded) })),
		gauge("policy_loaded_timestamp_seconds", "When the policy in force was loaded.", at(func(s *daemon.Status) time.Time { return s.Policy.Loaded })),
		gauge("policy_refused", "1 when the last reload was refused and the policy before stayed.", func(s *daemon.Status, y yield) { y(yes(s.Policy.ReloadError != "")) }),
		gauge("policy_rules", "Enabled rules of the policy in force.", one(func(s *daemon.Status) int { return s.Policy.Rules })),
		gauge("policy_clients", "Clients of the policy in force.", one(func(s *daemon.Status) int { return s.Policy.Clients })),
		gauge("sessions_open", "Milter connections now.", one(func(s *daemon.Status) int { return s.Milter.Connections })),
		counter("sessions", "Milter connections taken.", one(func(s *daemon.Status) int64 { return s.Milter.Total })),
		counter("sessions_refused", "Milter connections closed for want of room.", one(func(s *daemon.Status) int64 { return s.Milter.Refused })),
		counter("sessions_lost", "Milter connections lost, or closed for what they said.", one(func(s *daemon.Status) int64 { return s.Milter.Lost })),
		gauge("last_session_timestamp_seconds", "When Postfix last began a milter session; 0 for never.", func(s *daemon.Status, y yield) { y(float64(s.Milter.Last) / 1000) }),
		counter("faults", "Internal faults.", one(func(s *daemon.Status) int64 { return s.Milter.Faults })),
		counter("bound_hits", "Messages or recipients that passed a bound.", func(s *daemon.Status, y yield) {
			for _, b := range s.Limits {
				y(float64(b.Hits), b.Name)
			}
		}, "bound"),
	}
}

func accountRows() []row {
	return []row{
		gauge("spool_records", "Usage records that wait for the store.", one(func(s *daemon.Status) int64 { return s.Spool.Waiting })),
		gauge("records_missing", "Usage records that were spooled and are nowhere; below zero: there are too many.", func(s *daemon.Status, y yield) {
			if s.Records != nil {
				y(float64(s.Records.Missing))
			}
		}),
		gauge("records_parked", "Usage records that wait for somebody's decision.", one(func(s *daemon.Status) int64 { return s.Store.Parked })),
		gauge("clients_problems", "Clients of a followed source (Redis) whose definition is not in force.", func(s *daemon.Status, y yield) {
			if s.Clients != nil {
				y(float64(s.Clients.Count))
			}
		}),
		gauge("spool_bytes", "Size of the spool on disk.", one(func(s *daemon.Status) int64 { return s.Spool.Bytes })),
		gauge("spool_oldest_timestamp_seconds", "When the oldest waiting record was made; 0 when none waits.", at(func(s *daemon.Status) time.Time { return s.Spool.Oldest })),
		gauge("spool_failing", "1 while the store does not take records.", func(s *daemon.Status, y yield) { y(yes(s.Spool.LastError != "")) }),
		gauge("spool_writable", "1 while usage records can be spooled; 0: mail for clients is deferred.", func(s *daemon.Status, y yield) { y(yes(s.Spool.WriteError == "")) }),
		gauge("spool_set_aside", "Damaged pieces of the spool that were set aside.", one(func(s *daemon.Status) int { return s.Spool.SetAside })),
		gauge("store_up", "1 while the store of the account answers.", func(s *daemon.Status, y yield) { y(yes(s.Store.Error == ""), s.Store.Kind) }, "kind"),
		gauge("state_up", "1 while the store of greylist and correspondents answers; none where no rule asks it.", func(s *daemon.Status, y yield) {
			if s.State != nil {
				y(yes(s.State.Error == ""), s.State.Kind)
			}
		}, "kind"),
		gauge("journal_up", "1 while the journal can be written.", func(s *daemon.Status, y yield) {
			for _, k := range s.Journal.Kinds {
				y(yes(k.LastError == ""), k.Kind)
			}
		}, "journal"),
		counter("journal_lines", "Lines of the journal that were written.", func(s *daemon.Status, y yield) {
			for _, k := range s.Journal.Kinds {
				y(float64(k.Lines), k.Kind)
			}
		}, "journal"),
		counter("journal_lines_lost", "Lines of the journal that could not be written.", func(s *daemon.Status, y yield) {
			for _, k := range s.Journal.Kinds {
				y(float64(k.Lost), k.Kind)
			}
		}, "journal"),
	}
}

func inspectorRows() []row {
	each := func(of func(i assemble.InspectorStatus) float64) func(*daemon.Status, yield) {
		return func(s *daemon.Status, y yield) {
			for _, i := range s.Inspectors {
				y(of(i), i.Name)
			}
		}
	}
	return []row{
		gauge("inspector_up", "1 while the inspector answers, or has not been asked yet.", each(func(i assemble.InspectorStatus) float64 { return yes(i.State != "away" && i.State != "degraded") }), "inspector"),
		counter("inspections", "Messages that the inspector was to see.", each(func(i assemble.InspectorStatus) float64 { return float64(i.Inspected) }), "inspector"),
		counter("inspections_failed", "Of those: without a result, also because the inspector is away and was left alone.", each(func(i assemble.InspectorStatus) float64 { return float64(i.Failed) }), "inspector"),
		gauge("inspections_running", "Inspections under way.", each(func(i assemble.InspectorStatus) float64 { return float64(i.Running) }), "inspector"),
		gauge("inspection_seconds", "How long the last inspections took, an average.", each(func(i assemble.InspectorStatus) float64 { return i.LatencyMS / 1000 }), "inspector"),
	}
}

func dnsRows() []row {
	of := func(read func(s *daemon.Status, y yield)) func(*daemon.Status, yield) {
		return func(s *daemon.Status, y yield) {
			if s.DNS != nil {
				read(s, y)
			}
		}
	}
	return []row{
		counter("dns_lookups", "Look-ups that rules asked for.", of(one(func(s *daemon.Status) int64 { return s.DNS.Asked }))),
		counter("dns_cache_hits", "Of those: answered by the cache.", of(one(func(s *daemon.Status) int64 { return s.DNS.Hits }))),
		counter("dns_queries", "Queries sent to servers.", of(one(func(s *daemon.Status) int64 { return s.DNS.Queries }))),
		counter("dns_timeouts", "Of those: without a reply in time.", of(one(func(s *daemon.Status) int64 { return s.DNS.Timeouts }))),
		gauge("dns_cache_bytes", "About what the cache takes in memory.", of(one(func(s *daemon.Status) int { return s.DNS.CacheOctets }))),
		gauge("dns_server_up", "1 while the server answers, or has not been asked yet.", of(func(s *daemon.Status, y yield) {
			for _, server := range s.DNS.Servers {
				y(yes(server.State != dnscheck.Down), server.Addr)
			}
		}), "server"),
	}
}

// Describe implements prometheus.Collector.
func (c status) Describe(ch chan<- *prometheus.Desc) {
	for _, r := range rows() {
		ch <- r.desc
	}
}

// Collect implements prometheus.Collector.
func (c status) Collect(ch chan<- prometheus.Metric) {
	d := c.m.daemon()
	if d == nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.m.life, statusWithin)
	defer cancel()
	s := d.Status(ctx)
	for _, r := range rows() {
		told := map[string]bool{}
		r.read(&s, func(value float64, labels ...string) {
			// A server can stand in the policy twice; a page with the same series
			// twice would be refused whole.
			key := strings.Join(labels, "\x00")
			if told[key] {
				return
			}
			told[key] = true
			sample, err := prometheus.NewConstMetric(r.desc, r.kind, value, labels...)
			if err != nil {
				sample = prometheus.NewInvalidMetric(r.desc, err)
			}
			ch <- sample
		})
	}
}
