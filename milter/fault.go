package milter

import (
	"fmt"
	"runtime/debug"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// fault is what a panic in a callback leads to: the message gets what
// gateway.on_error says, the daemon lives. The result is the answer where one
// is due.
func (s *session) fault(stage rules.Stage, p any) (r gate.Result) {
	s.conn.server.counts.faults.Add(1)
	detail := fmt.Sprintf("%v\n%s", p, debug.Stack())
	r = gate.Result{Verdict: gate.Deferred, Reply: gate.Reply{Code: 451, Enhanced: "4.3.0", Text: "Temporary fault here, please try again later"}}
	defer func() {
		// What is broken may be broken here too.
		if again := recover(); again != nil {
			s.conn.server.log.Error("internal fault while handling one", "stage", stage.String(), "detail", fmt.Sprint(again), "first", detail)
		}
	}()
	switch {
	case s.msg != nil:
		return s.msg.Fail(s.ctx, stage, detail)
	case s.judge != nil:
		s.judge.Fail(stage.String(), detail)
	default:
		s.conn.server.log.Error("internal fault", "stage", stage.String(), "detail", detail)
	}
	return r
}

var _ gomilter.Milter = (*session)(nil)
