package daemon

import (
	"fmt"
	"time"
)

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
