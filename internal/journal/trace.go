package journal

import "net/netip"

// TraceSwitch is what the trace journal gets; turned while running.
type TraceSwitch struct {
	Protocol bool         `json:"protocol"`  // the SMTP dialogue as the MTA tells it
	Rules    bool         `json:"rules"`     // each rule tried
	ClientIP netip.Prefix `json:"client_ip"` // zero: every client
}

// SetTrace turns tracing on or off.
func (j *Journal) SetTrace(s TraceSwitch) {
	if !s.Protocol && !s.Rules {
		j.traced.Store(nil)
		return
	}
	s.ClientIP = s.ClientIP.Masked()
	j.traced.Store(&s)
}

// Tracing is what was last set.
func (j *Journal) Tracing() TraceSwitch {
	if s := j.traced.Load(); s != nil {
		return *s
	}
	return TraceSwitch{}
}

// Traced tells what is traced for a client: one atomic load while tracing is
// off.
func (j *Journal) Traced(client netip.Addr) (protocol, rules bool) {
	s := j.traced.Load()
	if s == nil {
		return false, false
	}
	if s.ClientIP.IsValid() && !s.ClientIP.Contains(client.Unmap()) {
		return false, false
	}
	return s.Protocol, s.Rules
}
