package maillog

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ulikunitz/xz"
)

func TestParse(t *testing.T) {
	p := Parser{Now: func() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) }, Location: time.UTC}
	december := time.Date(2025, 12, 31, 23, 59, 58, 0, time.UTC)
	for line, want := range map[string]Event{
		"Dec 31 23:59:58 mx1 postfix/qmgr[12]: 4XYZabc1: from=<a@example.com>, size=5, nrcpt=1 (queue active)":                                    {december, Queued, "4XYZabc1"},
		"Jan  1 00:00:01 mx1 postfix/qmgr[12]: 4XYZabc1: removed":                                                                                 {december.Add(3 * time.Second), Delivered, "4XYZabc1"},
		"2026-01-01T02:00:01.5+02:00 mx1 postfix/postsuper[9]: 0123456789: removed":                                                               {december.Add(3500 * time.Millisecond), Deleted, "0123456789"},
		"2025-12-31T23:59:58Z mx1 postfix-out/cleanup[9]: 0123456789: milter-hold: END-OF-MESSAGE from a[192.0.2.7]: milter triggers HOLD action": {december, Held, "0123456789"},
		"2025-12-31T23:59:58Z mx1 postfix/cleanup[9]: 0123456789: milter-reject: END-OF-MESSAGE from a[192.0.2.7]: 5.7.1 no":                      {december, Refused, "0123456789"},
		"2025-12-31T23:59:58Z mx1 postfix/cleanup[9]: warning: 0123456789: write queue file: No space left on device":                             {december, Unwritten, "0123456789"},
		"2025-12-31T23:59:58Z mx1 postfix/cleanup[9]: 0123456789: hold: header Subject: x from a[192.0.2.7]; from=<a@example.com>":                {december, Asked, "0123456789"},
		"2025-12-31T23:59:58Z mx1 postfix/smtpd[9]: 0123456789: hold: RCPT from a[192.0.2.7]: <b@example.org>: Recipient address":                 {december, Asked, "0123456789"},
		"2025-12-31T23:59:58Z mx1 postfix/postsuper[9]: 0123456789: requeued":                                                                     {december, Requeued, "0123456789"},
		"2025-12-31T23:59:58Z mx1 postfix/postsuper[9]: 0123456789: released from hold":                                                           {december, Released, "0123456789"},
	} {
		got, ok := p.Parse(line)
		if !ok || !got.Time.Equal(want.Time) || got.Kind != want.Kind || got.QueueID != want.QueueID {
			t.Errorf("%s:\n%v %+v, want %+v", line, ok, got, want)
		}
	}
	for _, line := range []string{
		"", "x", "Dec 31 23:59:58 mx1", "Dec 31 23:59:58 mx1 postfix/qmgr[12]: removed",
		"Dec 31 23:59:58 mx1 other/qmgr[12]: 4XYZabc1: removed", "Dec 99 23:59:58 mx1 postfix/qmgr[12]: 4XYZabc1: removed",
		"Dec 31 23:59:58 mx1 postfix/smtp[12]: 4XYZabc1: to=<removed>, status=sent",
		"Dec 31 23:59:58 mx1 postfix/cleanup[12]: 4XYZabc1: milter-reject: RCPT from a: no",
		// What a sender writes is no line of cleanup's.
		`Dec 31 23:59:58 mx1 postfix/smtpd[12]: 4XYZabc1: reject: RCPT from a[192.0.2.7]: 550 5.1.1 <"queue file write error"@example.org>: no; from=<a@example.com>`,
		"Dec 31 23:59:58 mx1 postfix/smtpd[12]: 4XYZabc1: client=postfix/cleanup[9]: 4XYZabc1: milter-reject: END-OF-MESSAGE x",
	} {
		if e, ok := p.Parse(line); ok && e.Kind != Begun {
			t.Errorf("%q: %+v", line, e)
		}
	}
}

func TestFate(t *testing.T) {
	end := time.Date(2026, 11, 28, 1, 0, 0, 500e6, time.UTC)
	at := func(seconds int) time.Time {
		return end.Truncate(time.Second).Add(time.Duration(seconds) * time.Second)
	}
	for name, test := range map[string]struct {
		events []Event
		want   Fate
	}{
		"nothing":                   {nil, Unknown},
		"queued":                    {[]Event{{at(0), Queued, "A"}}, InQueue},
		"refused by a later milter": {[]Event{{at(1), Refused, "A"}}, NotQueued},
		"disk full":                 {[]Event{{at(0), Unwritten, "A"}}, NotQueued},
		"the id came again at once": {[]Event{{at(0), Begun, "A"}, {at(0), Refused, "A"}, {at(0), Begun, "A"}, {at(0), Queued, "A"}}, InQueue},
		"of another message":        {[]Event{{at(0), Refused, "B"}}, Unknown},
		"of the message before":     {[]Event{{at(-60), Refused, "A"}, {at(-30), Queued, "A"}}, Unknown},
		"of the message after":      {[]Event{{at(0), Queued, "A"}, {at(20), Delivered, "A"}, {at(100), Refused, "A"}}, InQueue},
		"long afterwards":           {[]Event{{at(7200), Refused, "A"}}, Unknown},
		"lines in any order":        {[]Event{{at(9), Delivered, "A"}, {at(0), Queued, "A"}}, InQueue},
		"held":                      {[]Event{{at(0), Held, "A"}}, InQueue},
		"held, deleted":             {[]Event{{at(0), Held, "A"}, {at(90000), Deleted, "A"}}, Thrown},
		"held, let go, deleted":     {[]Event{{at(0), Held, "A"}, {at(900), Released, "A"}, {at(901), Queued, "A"}, {at(990), Deleted, "A"}}, InQueue},
		"queued, deleted":           {[]Event{{at(0), Queued, "A"}, {at(90), Deleted, "A"}}, InQueue},
		"asked for":                 {[]Event{{at(-9), Begun, "A"}, {at(-5), Asked, "A"}}, InQueue},
		"asked for, deleted":        {[]Event{{at(-9), Begun, "A"}, {at(-5), Asked, "A"}, {at(90000), Deleted, "A"}}, Thrown},
		"asked for, let go":         {[]Event{{at(-5), Asked, "A"}, {at(90000), Released, "A"}, {at(90001), Queued, "A"}, {at(90100), Deleted, "A"}}, InQueue},
		"asked for, refused":        {[]Event{{at(-5), Asked, "A"}, {at(0), Refused, "A"}}, NotQueued},
		"asked for by one before":   {[]Event{{at(-50), Asked, "A"}, {at(-40), Deleted, "A"}, {at(-5), Begun, "A"}}, Unknown},
		"no word, deleted":          {[]Event{{at(-5), Begun, "A"}, {at(90000), Deleted, "A"}}, Thrown},
		"no word, let go":           {[]Event{{at(-5), Begun, "A"}, {at(90000), Released, "A"}}, InQueue},
		"the one after deleted":     {[]Event{{at(-5), Begun, "A"}, {at(300), Begun, "A"}, {at(400), Deleted, "A"}}, Unknown},
		"of nobody, deleted":        {[]Event{{at(90000), Deleted, "A"}}, Unknown},
		"queued, requeued":          {[]Event{{at(0), Queued, "A"}, {at(90), Requeued, "A"}, {at(95), Deleted, "A"}}, InQueue},
	} {
		var l Log
		for _, e := range test.events {
			l.Add(e)
		}
		if got := l.Fate("A", end); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mail.log")
	now := time.Now()
	line := func(i int) string {
		return now.Add(time.Duration(i)*time.Minute).UTC().Format(time.RFC3339) + " mx1 postfix/qmgr[1]: 4XYZabc" + string(rune('0'+i)) + ": removed\n"
	}
	var zipped, squeezed bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(line(0))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	x, err := xz.NewWriter(&squeezed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Write([]byte(line(1))); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	for i, f := range []struct{ name, content string }{
		{"mail.log.2.gz", zipped.String()}, {"mail.log-20261127.xz", squeezed.String()}, {"mail.log.1", strings.Repeat("x", 2*maxLine) + "\n" + line(2)},
		{"mail.log", line(3) + line(4)[:20]}, {"mail.logs", "not ours"}, {"mail.log.9", line(9)},
	} {
		name := filepath.Join(dir, f.name)
		if err := os.WriteFile(name, []byte(f.content), 0o600); err != nil {
			t.Fatal(err)
		}
		when := now.Add(time.Duration(i) * time.Minute)
		if f.name == "mail.log.9" {
			when = now.Add(-48 * time.Hour)
		}
		if err := os.Chtimes(name, when, when); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files(path, now.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, f := range files {
		if err := ScanFile(f, time.UTC, func(e Event) error { ids = append(ids, e.QueueID); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"4XYZabc0", "4XYZabc1", "4XYZabc2", "4XYZabc3"}; !slices.Equal(ids, want) {
		t.Errorf("%v of %v", ids, files)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Dec 31 23:59:58 mx1 postfix/qmgr[12]: 4XYZabc1: removed")
	p := Parser{Now: time.Now, Location: time.UTC}
	f.Fuzz(func(t *testing.T, line string) {
		if e, ok := p.Parse(line); ok && (e.Kind == 0 || e.QueueID == "" || e.Time.IsZero()) {
			t.Fatalf("%q: %+v", line, e)
		}
	})
}
