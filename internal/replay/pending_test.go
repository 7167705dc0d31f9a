package replay

import (
	"fmt"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Entries whose message never comes do not take the room of those whose does, and what
// made room is not taken for a message that was refused by nobody.
func TestPending(t *testing.T) {
	t.Parallel()
	const most = 10
	p := newPending(most)
	for n := range 1000 {
		p.add(journal.Entry{Ref: fmt.Sprint("orphan", n)})
		ref := fmt.Sprint("m", n)
		p.add(journal.Entry{Ref: ref})
		p.add(journal.Entry{Ref: ref})
		if all, whole := p.take(ref); len(all) != 2 || !whole {
			t.Fatalf("%s: %d entries, whole %v", ref, len(all), whole)
		}
		if len(p.of) > most || len(p.order) > 2*most || len(p.gone) > most || len(p.goneList) > most {
			t.Fatalf("%d, %d, %d, %d are kept", len(p.of), len(p.order), len(p.gone), len(p.goneList))
		}
	}
	if _, whole := p.take("orphan985"); whole {
		t.Error("its entries made room")
	}
	p.add(journal.Entry{Ref: "orphan985"}) // one more of it does not make it whole
	if all, whole := p.take("orphan985"); whole || len(all) > 0 {
		t.Errorf("%d entries, whole %v", len(all), whole)
	}
	if all, whole := p.take("nobody"); !whole || all != nil {
		t.Error("a message without blocks")
	}
}
