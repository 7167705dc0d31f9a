package main

import (
	"encoding/json"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/spool"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/dnscheck"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/journal"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/milter"
)

// What the control socket is asked.
const (
	cmdFlush  = "flush"  // write what the journals have gathered
	cmdReload = "reload" // answers reloaded
	cmdReport = "report" // takes report.Query, answers []report.Row
	cmdStatus = "status" // answers status
	cmdTrace  = "trace"  // takes traceRequest, answers traceState
)

// Codes of refusals.
const (
	codePolicy = "policy" // the policy is bad; the detail is []problemRow
	codeAway   = "away"   // a dependency of the daemon is away
)

// reloaded is what a reload did.
type reloaded struct {
	Policy   string       `json:"policy"`
	Counts   counts       `json:"counts"`
	Warnings []problemRow `json:"warnings"`
	// Restart are the settings that changed in the file and take effect only
	// after a restart.
	Restart []string `json:"restart"`
}

// policyStatus is which policy is in force.
type policyStatus struct {
	File   string    `json:"file"`
	Loaded time.Time `json:"loaded"`
	counts
	// ReloadFailed is when a reload was last refused, with its first error;
	// zero when the last one went well.
	ReloadFailed time.Time `json:"reload_failed"`
	ReloadError  string    `json:"reload_error"`
	Restart      []string  `json:"restart"` // settings that wait for a restart
}

// storeStatus is how the store fares.
type storeStatus struct {
	Kind     string   `json:"kind"` // "embedded" or "redis"
	Place    string   `json:"place"`
	Error    string   `json:"error"` // "" when it is well
	Warnings []string `json:"warnings"`
}

// status is what is up, what is degraded, what waits.
type status struct {
	Gateway    string             `json:"gateway"`
	Version    string             `json:"version"`
	PID        int                `json:"pid"`
	Started    time.Time          `json:"started"`
	Uptime     int64              `json:"uptime_s"`
	Policy     policyStatus       `json:"policy"`
	Listen     []string           `json:"listen"`
	Milter     milter.Status      `json:"milter"`
	Spool      spool.Status       `json:"spool"`
	Store      storeStatus        `json:"store"`
	Journal    journal.Status     `json:"journal"`
	Limits     []gate.BoundStatus `json:"limits"`
	Inspectors []inspectorStatus  `json:"inspectors"`
	Trace      traceState         `json:"trace"`
	DNS        *dnscheck.Stats    `json:"dns"`      // null where no rule asks DNS
	State      *state.Status      `json:"state"`    // null where no rule greylists or asks for correspondents
	Degraded   []string           `json:"degraded"` // what an operator should look at; empty when all is well
}

// traceState is what the trace journal gets.
type traceState struct {
	Protocol bool   `json:"protocol"`
	Rules    bool   `json:"rules"`
	ClientIP string `json:"client_ip"` // address or network; "" for all
	File     string `json:"file"`
}

// traceRequest turns the trace.
type traceRequest struct {
	On       bool   `json:"on"`
	Protocol bool   `json:"protocol"` // neither this nor Rules: both
	Rules    bool   `json:"rules"`
	ClientIP string `json:"client_ip"`
}

// refusePolicy refuses a bad policy with all its problems.
func refusePolicy(rows []problemRow) error {
	detail, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return &control.Refusal{Code: codePolicy, Message: "the new policy is bad; the old one stays in force", Detail: detail}
}
