package daemon

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/audit"
	"github.com/tollgate-mail/tollgate/internal/canary"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/shadow"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/internal/tally"
	"github.com/tollgate-mail/tollgate/internal/unixsocket"
	"github.com/tollgate-mail/tollgate/milter"
	"github.com/tollgate-mail/tollgate/rules"
)

// What the control socket is asked.
const (
	CmdFlush  = "flush"  // write what the journals have gathered
	CmdHeld   = "held"   // takes HeldRequest, answers HeldAnswer
	CmdParked = "parked" // takes ParkedRequest, answers []ParkedRow
	CmdReload = "reload" // takes ReloadRequest, answers Reloaded
	CmdReport = "report" // takes ReportRequest, answers ReportAnswer
	CmdVerify = "verify" // takes ReportRequest, answers report.Verification
	CmdStatus = "status" // answers Status

	CmdClients   = "clients"   // takes ClientsRequest, answers []ClientRow
	CmdAudit     = "audit"     // answers audit.Report
	CmdAccept    = "accept"    // takes AcceptRequest, answers audit.Acceptance
	CmdImport    = "import"    // takes ImportRequest, answers ImportAnswer
	CmdDisable   = "disable"   // takes DisableRequest, answers the same
	CmdSwitch    = "switch"    // takes SwitchRequest, answers SwitchAnswer
	CmdEntry     = "entry"     // takes EntryRequest, answers EntryAnswer
	CmdRebooked  = "rebooked"  // answers RebookedAnswer
	CmdStatement = "statement" // takes StatementRequest, answers report.Statement
	CmdClose     = "close"     // takes CloseRequest, answers accounting.Close

	CmdMaillog   = "maillog"   // takes MaillogRequest, answers MaillogAnswer
	CmdUndecided = "undecided" // takes UndecidedRequest, answers UndecidedAnswer
	CmdDecide    = "decide"    // takes DecideRequest

	CmdPack = "pack" // packs rotated journals for some seconds, answers journal.Packing

	CmdTrace = "trace" // takes TraceRequest, answers TraceState
	CmdWatch = "watch" // takes WatchRequest, answers journal.Watched
	CmdLook  = "look"  // takes LookRequest
)

// Codes of refusals.
const (
	CodePolicy = "policy" // the policy is bad; the detail is []ProblemRow
	CodeAway   = "away"   // a dependency of the daemon is away
)

// Reloaded is what a reload did.
type Reloaded struct {
	Policy   string       `json:"policy"`
	Version  string       `json:"version"` // of the policy
	Number   int          `json:"number"`  // of its entry in the history; 0: it could not be kept
	New      bool         `json:"new"`     // the entry is: the policy is another than before
	Counts   Counts       `json:"counts"`
	Warnings []ProblemRow `json:"warnings"`
	// Restart are the settings that changed in the file and take effect only
	// after a restart.
	Restart []string `json:"restart"`
}

// PolicyStatus is which policy is in force.
type PolicyStatus struct {
	File   string    `json:"file"`
	Loaded time.Time `json:"loaded"`
	// Version is the policy's, as journals and records have it.
	Version string `json:"version"`
	Counts
	// ReloadFailed is when a reload was last refused, with its first error;
	// zero when the last one went well.
	ReloadFailed time.Time `json:"reload_failed"`
	ReloadError  string    `json:"reload_error"`
	Restart      []string  `json:"restart"` // settings that wait for a restart
	// HistoryError is why the policy in force is not in the history; "" when it is.
	HistoryError string `json:"history_error"`
}

// Status is what is up, what is degraded, what waits.
type Status struct {
	Gateway    string                     `json:"gateway"`
	Version    string                     `json:"version"`
	PID        int                        `json:"pid"`
	Started    time.Time                  `json:"started"`
	Uptime     int64                      `json:"uptime_s"`
	Policy     PolicyStatus               `json:"policy"`
	Listen     []string                   `json:"listen"`
	Milter     milter.Status              `json:"milter"`
	Mail       tally.Figures              `json:"mail"`
	Control    unixsocket.Status          `json:"control"`
	Spool      spool.Status               `json:"spool"`
	Store      assemble.StoreStatus       `json:"store"`
	Records    *audit.Balance             `json:"conservation"` // what was spooled and what became of it; null while not known
	Clients    *assemble.ClientsStatus    `json:"clients"`      // null where all are in the policy
	Journal    journal.Status             `json:"journal"`
	Limits     []gate.BoundStatus         `json:"limits"`
	Inspectors []assemble.InspectorStatus `json:"inspectors"`
	// Lists are those that stay in their files.
	Lists     []assemble.ListStatus `json:"lists"`
	Trace     TraceState            `json:"trace"`
	DNS       *dnscheck.Stats       `json:"dns"`     // null where no rule asks DNS
	Maillog   *MaillogStatus        `json:"maillog"` // null where none is followed
	State     *state.Status         `json:"state"`   // null where no rule greylists or asks for correspondents
	Shadow    ShadowState           `json:"shadow"`
	Canary    canary.State          `json:"canary"` // under way, or the last one
	SelfCheck shadow.Counts         `json:"self_check"`
	Confined  ConfinementStatus     `json:"confinement"`
	Degraded  []string              `json:"degraded"` // what an operator should look at; empty when there is nothing
}

// TraceState is what the trace journal gets.
type TraceState struct {
	Protocol bool   `json:"protocol"`
	Rules    bool   `json:"rules"`
	ClientIP string `json:"client_ip"` // address or network; "" for all
	// Sender and Recipient are whose messages alone; "" for all.
	Sender    string `json:"sender"`
	Recipient string `json:"recipient"`
	File      string `json:"file"`
}

// TraceRequest turns the trace.
type TraceRequest struct {
	On       bool   `json:"on"`
	Protocol bool   `json:"protocol"` // neither this nor Rules: both
	Rules    bool   `json:"rules"`
	ClientIP string `json:"client_ip"`
	// Sender and Recipient are an address, "@domain", or a part of an address.
	Sender    string `json:"sender"`
	Recipient string `json:"recipient"`
}

// WatchRequest begins to follow the trace, where it has no ID, and asks what came
// since the last time.
type WatchRequest struct {
	ID  string `json:"id"`
	End bool   `json:"end"` // of the following
	TraceRequest
}

// LookRequest says that somebody looked at other people's mail.
type LookRequest struct {
	Command string `json:"command"`
	Ref     string `json:"ref"`
	What    string `json:"what"`
}

// refusePolicy refuses a bad policy with all its problems.
func refusePolicy(rows []ProblemRow) error {
	return refuseRows("the new policy is bad; the old one stays in force", rows)
}

func refuseRows(message string, rows []ProblemRow) error {
	detail, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return &control.Refusal{Code: CodePolicy, Message: message, Detail: detail}
}

func (t TraceState) String() string {
	what := ""
	switch {
	case t.Protocol && t.Rules:
		what = "protocol and rules"
	case t.Protocol:
		what = "protocol"
	case t.Rules:
		what = "rules"
	default:
		return "trace is off"
	}
	if t.ClientIP != "" {
		what += " of " + t.ClientIP
	}
	if t.Sender != "" {
		what += " from " + t.Sender
	}
	if t.Recipient != "" {
		what += " to " + t.Recipient
	}
	return "traced: " + what + ", in " + t.File
}

// ProblemRow is a problem of a policy in JSON.
type ProblemRow struct {
	File     string `json:"file"`
	Line     int    `json:"line"`     // from 1; 0 when none is known
	Severity string `json:"severity"` // "error" or "warning"
	Message  string `json:"message"`
}

// ProblemRows are problems for JSON.
func ProblemRows(problems rules.Problems) []ProblemRow {
	rows := make([]ProblemRow, len(problems))
	for i, p := range problems {
		rows[i] = ProblemRow{File: p.Pos.File, Line: p.Pos.Line, Severity: "error", Message: p.Msg}
		if p.Warning {
			rows[i].Severity = "warning"
		}
	}
	return rows
}

func (r ProblemRow) String() string {
	return rules.Problem{Pos: rules.Pos{File: r.File, Line: r.Line}, Msg: r.Message, Warning: r.Severity == "warning"}.String()
}

// When it is remarkable that Postfix does not connect: after the start, and when
// it was used to. A quiet night is not.
const (
	silentStart  = time.Minute
	leastSilence = time.Hour
	fewSessions  = 20 // too few to know what is usual
)

// silence says that no mail reaches tollgate; "" when that is as usual.
func (s *Status) Silence(now time.Time) string {
	if s.Milter.Negotiated == 0 {
		up := now.Sub(s.Started)
		if up < silentStart {
			return ""
		}
		return fmt.Sprintf("no Postfix has connected since the start, %s ago: is it attached (tollgate attach), "+
			"does its chroot have the socket, may its group open it, and was it reloaded since?", span(up))
	}
	last := time.UnixMilli(s.Milter.Last)
	quiet, usual := now.Sub(last), time.Duration(s.Milter.Lull)*time.Millisecond
	if s.Milter.Connections > 0 || s.Milter.Negotiated < fewSessions || quiet < max(leastSilence, 4*usual) {
		return ""
	}
	return fmt.Sprintf("no Postfix has connected for %s, and before never for longer than %s: does it run, and is it still attached?", span(quiet), span(usual))
}
