package outcome

import (
	"reflect"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/maillog"
)

var start = time.Date(2026, 11, 28, 1, 0, 0, 500e6, time.UTC)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func TestEvents(t *testing.T) {
	type line struct {
		at   int
		kind maillog.Kind
	}
	for name, test := range map[string]struct {
		lines   []line
		want    maillog.Fate // of the decision; Unknown: none
		waiting int
		held    int
	}{
		"nothing":                      {nil, maillog.Unknown, 1, 0},
		"queued":                       {[]line{{0, maillog.Queued}}, maillog.Unknown, 0, 0},
		"queued by whole seconds":      {[]line{{-1, maillog.Queued}}, maillog.Unknown, 0, 0},
		"refused":                      {[]line{{1, maillog.Refused}}, maillog.NotQueued, 0, 0},
		"disk full":                    {[]line{{0, maillog.Unwritten}}, maillog.NotQueued, 0, 0},
		"of the message before":        {[]line{{-60, maillog.Refused}}, maillog.Unknown, 1, 0},
		"of one long after":            {[]line{{700, maillog.Refused}}, maillog.Unknown, 1, 0},
		"queued late":                  {[]line{{7000, maillog.Queued}}, maillog.Unknown, 0, 0},
		"queued, the next refused":     {[]line{{0, maillog.Queued}, {5, maillog.Delivered}, {9, maillog.Refused}}, maillog.Unknown, 0, 0},
		"held":                         {[]line{{0, maillog.Held}}, maillog.Unknown, 0, 1},
		"held, deleted days later":     {[]line{{0, maillog.Held}, {400_000, maillog.Deleted}}, maillog.Thrown, 0, 0},
		"held, let go, deleted":        {[]line{{0, maillog.Held}, {10, maillog.Released}, {11, maillog.Queued}, {400, maillog.Deleted}}, maillog.Unknown, 0, 0},
		"held, let go and delivered":   {[]line{{0, maillog.Held}, {11, maillog.Queued}, {12, maillog.Delivered}}, maillog.Unknown, 0, 0},
		"held, queued anew":            {[]line{{0, maillog.Held}, {10, maillog.Requeued}, {400, maillog.Deleted}}, maillog.Unknown, 0, 0},
		"queued, deleted":              {[]line{{0, maillog.Queued}, {400, maillog.Deleted}}, maillog.Unknown, 0, 0},
		"deleted and nothing before":   {[]line{{400, maillog.Deleted}}, maillog.Unknown, 1, 0},
		"hold asked for":               {[]line{{0, maillog.Asked}}, maillog.Unknown, 0, 1},
		"asked for, deleted":           {[]line{{0, maillog.Asked}, {400_000, maillog.Deleted}}, maillog.Thrown, 0, 0},
		"asked for, let go":            {[]line{{0, maillog.Asked}, {400_000, maillog.Released}, {400_001, maillog.Queued}}, maillog.Unknown, 0, 0},
		"asked for, refused":           {[]line{{0, maillog.Asked}, {1, maillog.Refused}}, maillog.NotQueued, 0, 0},
		"it has begun":                 {[]line{{-1, maillog.Begun}}, maillog.Unknown, 1, 0},
		"held, the deletion of before": {[]line{{0, maillog.Held}, {-40, maillog.Deleted}}, maillog.Unknown, 0, 1},
	} {
		w := NewTracker()
		w.Charged(Message{QueueID: "A", Time: start, Records: make([]accounting.Record, 1)})
		got := maillog.Unknown
		for _, l := range test.lines {
			if d, ok := w.Event(maillog.Event{Time: at(l.at), Kind: l.kind, QueueID: "A"}, at(l.at)); ok {
				got = d.Fate
			}
			w.Event(maillog.Event{Time: at(l.at), Kind: maillog.Refused, QueueID: "B"}, at(l.at))
		}
		if len(w.Due(at(1).Add(Settle-2*time.Second))) > 0 {
			t.Errorf("%s: decided at once", name)
		}
		for _, d := range w.Due(at(800_000)) {
			got = d.Fate
		}
		s := w.Status(start)
		if got != test.want || s.Waiting != test.waiting || s.Held != test.held {
			t.Errorf("%s: %v, %+v", name, got, s)
		}
		// Read again, it is the same.
		if test.want != maillog.Unknown && len(test.lines) == 1 {
			if _, ok := w.Event(maillog.Event{Time: at(test.lines[0].at), Kind: test.lines[0].kind, QueueID: "A"}, start); ok || len(w.Due(at(800_000))) > 0 {
				t.Errorf("%s: decided twice", name)
			}
		}
	}
}

// Whatever comes in whatever order, a message is decided about at most once, and
// never when its log has said that it was queued.
func TestDecidedOnce(t *testing.T) {
	kinds := []maillog.Kind{maillog.Queued, maillog.Held, maillog.Refused, maillog.Unwritten, maillog.Delivered, maillog.Deleted, maillog.Requeued, maillog.Released, maillog.Begun, maillog.Asked}
	rapid.Check(t, func(rt *rapid.T) {
		w := NewTracker()
		decided, queued := map[int64]int{}, map[int64]bool{}
		now := 0
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			now += rapid.IntRange(3, 900).Draw(rt, "later")
			id := strconv.Itoa(rapid.IntRange(0, 2).Draw(rt, "id"))
			if rapid.Bool().Draw(rt, "message") {
				m := Message{QueueID: id, Time: at(now)}
				w.Charged(m)
				continue
			}
			e := maillog.Event{Time: at(now), Kind: rapid.SampledFrom(kinds).Draw(rt, "kind"), QueueID: id}
			if rapid.Bool().Draw(rt, "restart") {
				k := w.Snapshot(at(now))
				w = NewTracker()
				w.Restore(k)
			}
			var about *Message
			w.mu.Lock()
			if m, ok := w.about(e); ok {
				about = &m
			}
			w.mu.Unlock()
			due := w.Due(at(now - 1))
			if d, ok := w.Event(e, at(now)); ok {
				due = append(due, d)
			}
			for _, d := range due {
				ms := d.Time.UnixMilli()
				if decided[ms]++; decided[ms] > 1 || d.Fate == maillog.NotQueued && queued[ms] {
					rt.Fatalf("%+v is decided: %v", d, decided)
				}
			}
			if about != nil && (e.Kind == maillog.Queued || e.Kind == maillog.Delivered) {
				queued[about.Time.UnixMilli()] = true
			}
		}
	})
}

// A short queue id comes again within the second in which the message before was
// refused, by us or by another: what is said of that is not said of the new one.
func TestIDsComeAgain(t *testing.T) {
	w := NewTracker()
	w.Charged(Message{QueueID: "A", Ref: "new", Time: start})
	second := start.Truncate(time.Second)
	for _, e := range []maillog.Event{
		{Time: second, Kind: maillog.Begun, QueueID: "A"}, // of the message before
		{Time: second, Kind: maillog.Refused, QueueID: "A"},
		{Time: second, Kind: maillog.Begun, QueueID: "A"}, // of ours
	} {
		w.Event(e, at(1))
	}
	if due := w.Due(at(60)); len(due) > 0 {
		t.Fatalf("%+v", due)
	}
	if s := w.Status(start); s.Waiting != 1 {
		t.Fatalf("%+v", s)
	}
	w.Event(maillog.Event{Time: second, Kind: maillog.Queued, QueueID: "A"}, at(61))
	if s := w.Status(start); s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	// Both were charged, and a milter behind us refused the first.
	w.Charged(Message{QueueID: "A", Ref: "first", Time: start})
	w.Charged(Message{QueueID: "A", Ref: "second", Time: start.Add(100 * time.Millisecond)})
	for _, k := range []maillog.Kind{maillog.Begun, maillog.Refused, maillog.Begun, maillog.Queued} {
		w.Event(maillog.Event{Time: second, Kind: k, QueueID: "A"}, at(70))
	}
	if s := w.Status(start); s.Waiting > 1 {
		t.Errorf("%+v", s)
	}
	for _, d := range w.Due(at(90)) {
		if d.Ref == "second" {
			t.Errorf("%+v", d)
		}
	}
}

func TestKept(t *testing.T) {
	dir := t.TempDir()
	if _, ok, err := Load(dir); ok || err != nil {
		t.Fatal(ok, err)
	}
	w := NewTracker()
	w.Charged(Message{QueueID: "A", Ref: "r", Time: start})
	w.Charged(Message{QueueID: "B", Time: start})
	w.Event(maillog.Event{Time: at(1), Kind: maillog.Held, QueueID: "B"}, start)
	k := w.Snapshot(at(2))
	k.Source, k.Gap, k.Place = "/var/log/mail.log", "why", maillog.Place{Inode: 5, Offset: 77, Head: "ab", HeadLen: 3, Last: at(1)}
	if err := k.Save(dir); err != nil {
		t.Fatal(err)
	}
	back, ok, err := Load(dir)
	if !ok || err != nil || !reflect.DeepEqual(back, k) {
		t.Fatalf("%+v, %v; want %+v", back, err, k)
	}
	again := NewTracker()
	again.Restore(back)
	if got := again.Undecided(); len(got) != 2 || got[0].QueueID != "A" || !got[1].Held {
		t.Errorf("%+v", got)
	}
	if d, ok := again.Event(maillog.Event{Time: at(9), Kind: maillog.Deleted, QueueID: "B"}, start); !ok || d.Fate != maillog.Thrown {
		t.Errorf("%+v", d)
	}
}

// Nobody reads the log: what there is no room for is counted, not forgotten.
func TestBounded(t *testing.T) {
	w := NewTracker()
	for i := range most + 5 {
		w.Charged(Message{QueueID: strconv.Itoa(i), Time: start})
	}
	if s := w.Status(start); s.Waiting != most || s.Unknown != 5 {
		t.Errorf("%+v", s)
	}
	if s := w.Status(at(3600)); s.Unknown != most+5 {
		t.Errorf("%+v", s)
	}
	w.Reconciled()
	if s := w.Status(start); s.Unknown != 0 {
		t.Errorf("%+v", s)
	}
}

// The place that is kept lags behind: what the log says of messages since then
// is read again.
func TestPlaces(t *testing.T) {
	var p Places
	for i := range 200 {
		p.Add(at(60*i), maillog.Place{Offset: int64(i)})
		if old := int(p.Old().Offset); i >= 10 && (i-old < 10 || i-old > 11) || i < 10 && old != 0 {
			t.Fatalf("minute %d: the place of minute %d", i, old)
		}
	}
	if len(p.list) > 25 {
		t.Errorf("%d places", len(p.list))
	}
}

// A process that ends soon leaves the next one the place that it began at: what was
// charged before it is waited for again then, and stands before what it has read.
func TestPlacesOverRestarts(t *testing.T) {
	kept := maillog.Place{Inode: 1, Offset: 100}
	for restart := range 5 {
		var p Places
		p.From(at(120*restart), kept)
		p.Add(at(120*restart+1), maillog.Place{Inode: 2, Offset: 5})
		p.Add(at(120*restart+100), maillog.Place{Inode: 2, Offset: 10})
		if kept = p.Old(); kept.Inode != 1 || kept.Offset != 100 {
			t.Fatalf("restart %d: %+v", restart, kept)
		}
	}
	var p Places
	p.From(at(0), kept)
	for minute := range 30 {
		p.Add(at(60*minute), maillog.Place{Inode: 2, Offset: int64(minute)})
	}
	if old := p.Old(); old.Inode != 2 || old.Offset < 17 || old.Offset > 19 {
		t.Errorf("%+v", old)
	}
}

// A message on hold is waited for no more, however that was found out.
func TestHeldIsNotWaitedFor(t *testing.T) {
	m := Message{QueueID: "A", Time: start}
	w := NewTracker()
	w.Charged(m)
	w.Hold(m) // as reconciling does
	w.Charged(m)
	if s := w.Status(at(3600)); s.Waiting != 0 || s.Unknown != 0 || s.Held != 1 {
		t.Errorf("%+v", s)
	}
	if all := w.Undecided(); len(all) != 1 {
		t.Errorf("%+v", all)
	}
	w.Charged(Message{QueueID: "A", Time: at(60)}) // a short id that came again
	if s := w.Status(at(61)); s.Waiting != 1 || s.Held != 1 {
		t.Errorf("%+v", s)
	}
}

// The line of a rule of Postfix stands in the log before the message has ended: mostly it
// is read before the message was charged.
func TestAskedBeforeItsEnd(t *testing.T) {
	w := NewTracker()
	m := Message{QueueID: "A", Time: start}
	w.Event(maillog.Event{Time: at(-60), Kind: maillog.Asked, QueueID: "A"}, at(-60))
	w.Charged(m)
	if s := w.Status(at(100_000)); s.Held != 1 || s.Waiting != 0 || s.Unknown != 0 {
		t.Errorf("%+v", s)
	}
	again := NewTracker() // after a restart
	again.Restore(w.Snapshot(at(1)))
	if d, ok := again.Event(maillog.Event{Time: at(90), Kind: maillog.Deleted, QueueID: "A"}, at(90)); !ok || d.Fate != maillog.Thrown {
		t.Errorf("%v %v", d, ok)
	}
	// However many there are.
	for n := range 3 * mostAsked {
		w.Event(maillog.Event{Time: at(n), Kind: maillog.Asked, QueueID: strconv.Itoa(n)}, at(n))
	}
	if len(w.asked) > mostAsked {
		t.Error(len(w.asked))
	}
	late := Message{QueueID: strconv.Itoa(3*mostAsked - 1), Time: at(3 * mostAsked)}
	w.Charged(late) // those of hours ago made room
	if list := w.waiting[late.QueueID]; len(list) != 1 || !list[0].Asked {
		t.Errorf("%+v", list)
	}
}
