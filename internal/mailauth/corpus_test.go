package mailauth_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// difference is where we and dkimpy do not say the same, and why.
type difference struct{ ours, dkimpy, why string }

// differences are known ones by message and signature. One that is no more is
// a failure, too.
type differences struct {
	known map[string]difference
	seen  map[string]bool
}

func differing(known map[string]difference) *differences {
	return &differences{known, make(map[string]bool)}
}

// check compares what is said of one signature.
func (d *differences) check(t *testing.T, of, ours, dkimpy string) {
	t.Helper()
	if known, ok := d.known[of]; ok {
		d.seen[of] = true
		if known.ours != ours || known.dkimpy != dkimpy {
			t.Errorf("%s: we say %s and dkimpy %s, and not %s and %s (%s)", of, ours, dkimpy, known.ours, known.dkimpy, known.why)
		}
		return
	}
	if ours != dkimpy {
		t.Errorf("%s: we say %s, dkimpy %s", of, ours, dkimpy)
	}
}

func (d *differences) end(t *testing.T) {
	t.Helper()
	for of := range d.known {
		if !d.seen[of] {
			t.Errorf("%s is named as a difference and was not tried", of)
		}
	}
}

// beyondHeader are messages whose signatures stand behind a line that is no
// field: there the header ends, for Postfix and for us.
var beyondHeader = []string{"0065", "0198", "0268"}

// A server that has none of the keys, one that has those that are known, and
// two of which nothing can be learned.
func TestCorpus(t *testing.T) {
	all := slices.DeleteFunc(corpus(t), func(s *specimen) bool { return !s.dkim })
	if len(all) != 37 {
		t.Fatalf("%d messages have signatures", len(all))
	}
	quick := 30 * time.Millisecond
	sha1 := "rsa-sha1 must not verify (RFC 8301 §3.1)"
	unasked := "dkimpy looks at b= before it asks for the key"
	for _, tt := range []struct {
		name   string
		server func(*testing.T) string
		try    time.Duration
		// want is what is said of signatures that need a key and are not in
		// found.
		want  string
		found map[string][]string
		known map[string]difference
		// everywhere is the difference in all that want a key.
		everywhere *difference
	}{
		{name: "no keys", server: withoutKeys, try: 2 * time.Second, want: "permerror"},
		{
			name: "known keys", server: withKeys, try: 2 * time.Second, want: "permerror",
			found: map[string][]string{
				"0002": {"pass"}, "0016": {"pass"}, "0074": {"pass"}, "0102": {"pass"}, "0111": {"pass"}, "0176": {"pass"},
				"0204": {"permerror", "pass"},
				// Not good under the keys that are known, for either.
				"0146": {"fail"}, "0175": {"fail"},
			},
			known: map[string]difference{"0204/0": {"permerror", "pass", sha1}},
		},
		{
			name: "silence", server: silent, try: quick, want: "temperror",
			known: map[string]difference{
				"0007/0": {"temperror", "permerror", unasked},
				"0248/0": {"temperror", "permerror", unasked},
			},
		},
		{
			name: "SERVFAIL", server: withoutZones, try: 2 * time.Second, want: "temperror",
			everywhere: &difference{"temperror", "permerror", "dkimpy takes SERVFAIL for a name that is not there; RFC 6376 §6.1.2 wants TEMPFAIL"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := tt.server(t)
			opinions := dkimpy.judge(t, server, tt.try, wires(all))
			known := maps.Clone(tt.known)
			if known == nil {
				known = make(map[string]difference)
			}
			d := differing(known)
			said := judged(t, asking(t, server, tt.try), wires(all))
			signatures := 0
			for i, s := range all {
				got, theirs := said[i], opinions[i].results()
				if len(got) != len(theirs) || (len(got) == 0) != slices.Contains(beyondHeader, s.id) {
					t.Errorf("%s: we say %q, dkimpy %q", s.id, got, theirs)
					continue
				}
				want := tt.found[s.id]
				if want == nil {
					want = slices.Repeat([]string{tt.want}, len(got))
				}
				if slices.Contains(malformed, s.id) {
					want = []string{"permerror"}
				} else if tt.everywhere != nil {
					for n := range got {
						known[fmt.Sprintf("%s/%d", s.id, n)] = *tt.everywhere
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %q, want %q", s.id, got, want)
				}
				for n := range got {
					d.check(t, fmt.Sprintf("%s/%d", s.id, n), got[n], theirs[n])
					signatures++
				}
			}
			d.end(t)
			t.Logf("%d signatures of %d messages, %d judged differently", signatures, len(all), len(known))
		})
	}
}

// malformed are signatures for which nobody asks for a key: without b=, or from
// before DKIM had v=.
var malformed = []string{"0053", "0099", "0107", "0150"}

func withoutKeys(*testing.T) string { return empty.Addr }
func withKeys(*testing.T) string    { return keyed.Addr }

// silent is a server that takes questions and does not answer.
func silent(t *testing.T) string {
	if err := empty.Freeze(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := empty.Thaw(); err != nil {
			t.Error(err)
		}
	})
	return empty.Addr
}

// withoutZones is a server that cannot tell.
func withoutZones(*testing.T) string { return unable.Addr }
