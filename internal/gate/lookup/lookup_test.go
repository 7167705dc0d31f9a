package lookup

import (
	"context"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/took"
	"github.com/tollgate-mail/tollgate/rules"
)

// What is waited for an answer is counted; an answer that is there costs no look
// at the clock.
func TestWaitIsCounted(t *testing.T) {
	release := make(chan struct{})
	asked := 0
	var times took.Times
	g := Group{Took: &times, Now: func() time.Time {
		if asked++; asked == 1 {
			close(release) // only now: it is waited for
		}
		return time.Unix(int64(asked), 0)
	}}
	defer g.End()
	var s Set
	ask := func(rules.Key) Question {
		return func(context.Context) (rules.Value, error) {
			<-release
			return rules.EnumValue("pass"), nil
		}
	}
	for range 3 {
		if v, err := s.Answer(t.Context(), &g, rules.Key{Attr: rules.SPF}, ask); err != nil || v.Text != "pass" {
			t.Fatal(v, err)
		}
	}
	if asked != 2 || times.Of(took.DNS) != time.Second {
		t.Errorf("%d looks at the clock, %v", asked, times.Of(took.DNS))
	}
}
