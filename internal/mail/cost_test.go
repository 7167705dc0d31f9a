package mail

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/budget"
	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

// unbounded counts what is charged.
func unbounded(ctx context.Context) *budget.Budget {
	return budget.New(ctx, math.MaxInt64, math.MaxInt64)
}

// checkCost holds what an input of so many octets has cost against its
// allowance.
func checkCost(t *testing.T, what string, n int, b *budget.Budget) {
	t.Helper()
	if steps, octets := b.Spent(); max(steps, octets) > budget.Allowance(int64(n)) {
		t.Errorf("%.60q: %d octets cost %d steps and %d octets", what, n, steps, octets)
	}
}

// units are pieces that were dear, or might be: of parameters, of encoded words,
// of mailboxes, of addresses in a trace.
func units() []string {
	return []string{
		"name=", "name=name=", ";name=\"", "(", "(\\", "()=", "name()=", "(name=", ")(", "boundary=a ", ";boundary=a", "boundary=\"", ";name=a", "name:", ";filename*1=a", "'", "; name='a b',c(d)\"",
		";name=a b,c(d", ";name=(x)a b,c(d)", ";filename*=utf-8''%41", ";filename*0*=koi8-r''%F0", "; name=a b", ")", ";name=\"=?utf-8?q?a?=", ";name=\"=?utf-7?b?K0JCOEVRQS0=?= =?utf-8?b?Yg==?=\xff\"",
		"\"", "\\\"", "\"\\", ";", "; x=", "\xff", "=?utf-8?q?a", "=?", "=?utf-8?q?a?= ", "=?x?q?", "?=", "=?utf-8?b?", "\n ", " ", "=?koi8-r?q?=F0?= =?utf-8?q?a?= ",
		"=?utf-8?q?a?=\xff", "=?utf-8?b?YQ=a?= ", "=?us-ascii?q?=D0=96?=", "=?x-y?q?=D0=96?= \xf0", "=?utf-7?q?+?=", "=?utf-8?b?*?=", "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=", "\ufdfa", "a\u200b",
		"<", "a,", "a@", "a. ", "a@ ", "<\"\\\"", "\"\\\"\\\"", "[", "<a@b>", "a@b,", ":", "1.1 ", "IPv6:", "192.0.2.1 ", "1", "::1 ", "f.f.f.f",
	}
}

// dearNames are pieces of names of files that can be taken in many ways, each
// within the others.
func dearNames() []string {
	return []string{
		"na@\xf9\r\x9a\\\xbb\x84",
		"\\\"; \\\"name=<\"\\\"' b',c(d\"=?utf-8?q?",
		"=?ut-8?q?=3D==Ename()=4\"\\Futf-8name:3Fq=3a=3F=3D?na@\xf9\r\x9a\\;a@ namea\x84;%4:1\"name= b=?u-7?q?+=\"\\utf-8%4%411?b?*?==\x1b;;name;name=(x)a b,c(d~)=aname=\"=ut-7?b?K0JCOEVR=E4QS0=?= =?utf-8?b?g==?=\xff:B",
	}
}

// The fields of a part that can be read in very many ways cost what there is for
// them; that something is left unread is told, and other parts lose no name by it.
func TestDearNames(t *testing.T) {
	for _, unit := range dearNames()[1:] {
		for _, size := range []int{2 << 10, 16 << 10, 60 << 10} {
			dear := "--b\nContent-Type: a/b; name=" + strings.Repeat(unit, 1+size/len(unit)) + "\nContent-Disposition: attachment; filename=dear.exe\n\n\n"
			message := "From: a@b\nDate: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
				"--b\nContent-Disposition: attachment; filename=before.exe\n\n\n" + dear + "--b\nContent-Disposition: attachment; filename=after.exe\n\n\n--b--\n"
			b := unbounded(t.Context())
			l, err := ListParts(b, strings.NewReader(message), "")
			checkCost(t, unit, len(message), b)
			if !slices.Contains(l.Names, "before.exe") || !slices.Contains(l.Names, "after.exe") {
				t.Errorf("%d octets of %.40q: names %.200q", size, unit, l.Names)
			}
			if !slices.Contains(l.Names, "dear.exe") && !(errors.Is(err, ErrComplex) && slices.Contains(l.Defects, "part_unread") && slices.Contains(l.Defects, "too_many_names")) {
				t.Errorf("%d octets of %.40q: a name is not seen, and nobody knows: %q, %v", size, unit, l.Defects, err)
			}
		}
	}
}

// Pieces that nobody thought of, put together of those that are dear.
func TestCostOfSiblings(t *testing.T) {
	const draws, octets = 120, 8 << 10
	rng := rand.New(rand.NewPCG(1, 2))
	atoms := slices.Concat(units(), dearNames(), strings.Split("\"\\'()<>@,;:=?*%. \t\n\r\x00a1/~\u200b\u202e", ""), []string{"\xff", "\x9a", "\x1b$B", "~{", "=E4", "%E4"})
	var dear []string // what was dearer than all before
	worst := 0.0
	for range draws {
		unit := ""
		if len(dear) > 0 && rng.IntN(3) > 0 {
			unit = dear[rng.IntN(len(dear))]
		}
		for range 1 + rng.IntN(4) {
			at := rng.IntN(len(unit) + 1)
			unit = unit[:at] + atoms[rng.IntN(len(atoms))] + unit[min(len(unit), at+rng.IntN(2)):]
		}
		unit = unit[:min(len(unit), 200)]
		value := strings.Repeat(unit, 1+octets/len(unit))
		for _, message := range []string{"Content-Type: a/b; name=" + value + "\n\n", strings.Repeat("Content-Disposition: x; filename="+unit+"\n", 30)} {
			b := unbounded(t.Context())
			if err := ReadParts(b, strings.NewReader(message), func(*Part) error { return nil }); err != nil && !errors.Is(err, ErrComplex) {
				t.Fatal(err)
			}
			checkCost(t, unit, len(message), b)
			steps, _ := b.Spent()
			if ratio := float64(steps) / float64(budget.Allowance(int64(len(message)))); ratio > worst {
				worst, dear = ratio, append(dear, unit)
			}
		}
	}
	if worst < 0.3 {
		t.Errorf("the dearest of all costs %.2f of what it may: dear ones were not found", worst)
	}
}

// What reading costs is linear in the length of what is read, for the dearest
// too.
func TestCost(t *testing.T) {
	const n = 1 << 15
	ctx := t.Context()
	for _, unit := range units() {
		for _, size := range []int{len(unit), 200, 4 << 10, n - 1<<10} {
			value := strings.Repeat(unit, max(1, size/len(unit)))
			for _, fallback := range []string{"", "koi8-r", "utf-7", "iso-2022-kr", "auto"} {
				b := unbounded(ctx)
				fieldtext.Decode(b, value, fallback)
				checkCost(t, "decoded "+value, len(value), b)
				b = unbounded(ctx)
				fieldtext.Readings(b, value, fallback)
				checkCost(t, "readings of "+value, len(value), b)
			}
			b := unbounded(ctx)
			for _, m := range ParseMailboxes(b, value) {
				m.DisplayName(b, "koi8-r")
			}
			checkCost(t, "mailboxes in "+value, len(value), b)
			b = unbounded(ctx)
			Header{{"Received", value}}.TraceIPs(b)
			checkCost(t, "trace "+value, len(value), b)
			for _, field := range []string{"Content-Type: multipart/mixed; ", "Content-Type: a/b;", "Content-Disposition: attachment; "} {
				part := "--b\n" + field + value + "\n\n"
				message := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat(part, max(1, n/len(part)))
				b := unbounded(ctx)
				if _, err := ListParts(b, strings.NewReader(message), "koi8-r"); err != nil && !errors.Is(err, ErrComplex) {
					t.Fatal(err)
				}
				checkCost(t, part, len(message), b)
			}
		}
	}
	for _, unit := range []string{"--b\n\n", "--b\nA\n", "--b\nContent-\n\n", "--b\nContent-Type: message/rfc822\n\nx\n", "--b\n\nbegin 644 x\n", "--b\n\n=ybegin name=x\n", "name \"x\" ", "--b\nContent-Type:multipart/mixed;boundary=c\n\n--c\n", "--c\n", "--\n",
		"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQTpiCgp4\n", "x\n", "--b\nx\nContent-Type: a/b;\n\nname=x\n"} {
		message := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat(unit, n/len(unit))
		b := unbounded(ctx)
		if err := ReadParts(b, strings.NewReader(message), func(*Part) error { return nil }); err != nil && !errors.Is(err, ErrComplex) {
			t.Fatal(err)
		}
		checkCost(t, unit, len(message), b)
	}
}

// A walk that its budget does not cover says so, as any other that was cut; one
// whose context ends is over soon, and says that.
func TestWalkIsCut(t *testing.T) {
	message := "From: a@b\nDate: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
		strings.Repeat("--b\nContent-Type: a/b; name=x.txt\n\n", 50) + "--b\nContent-Type: a/b; name=x.exe\n\n--b--\n"
	whole := unbounded(t.Context())
	if l, err := ListParts(whole, strings.NewReader(message), ""); err != nil || !slices.Contains(l.Names, "x.exe") || l.Defects != nil {
		t.Fatal(l, err)
	}
	steps, octets := whole.Spent()
	for _, cut := range []*budget.Budget{budget.New(t.Context(), steps-1, octets), budget.New(t.Context(), steps/2, octets), budget.New(t.Context(), 0, octets), budget.New(t.Context(), steps, octets-1)} {
		l, err := ListParts(cut, strings.NewReader(message), "")
		if !errors.Is(err, ErrComplex) || !slices.Contains(l.Defects, "part_unread") || !slices.Contains(l.Defects, "too_much_work") {
			t.Errorf("%q, %v", l.Defects, err)
		}
	}
	for n := range steps {
		cut := budget.New(t.Context(), n, octets)
		if _, err := ListParts(cut, strings.NewReader(message), ""); !errors.Is(err, ErrComplex) {
			t.Fatalf("with %d of %d steps: %v", n, steps, err)
		}
	}
	for _, unit := range units() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		b := unbounded(ctx)
		_, err := ListParts(b, strings.NewReader("Content-Type: a/b;"+strings.Repeat(unit, 1<<17/len(unit))), "")
		if steps, octets := b.Spent(); !errors.Is(err, context.Canceled) || steps+octets > 64<<10 {
			t.Errorf("%q: %d steps, %d octets, %v", unit, steps, octets, err)
		}
	}
}

func FuzzCost(f *testing.F) {
	for _, unit := range units() {
		f.Add(unit, "koi8-r", uint16(1000))
	}
	for _, unit := range dearNames() {
		f.Add(unit, "", uint16(1000))
	}
	f.Add("0\"00\xf8", "0", uint16(969)) // the quotes and octets of a name that has as many readings as there are
	f.Fuzz(func(t *testing.T, unit, fallback string, times uint16) {
		if len(fallback) > 300 || unit == "" {
			t.Skip()
		}
		value := strings.Repeat(unit, 1+int(times)%(1+(16<<10)/len(unit)))
		b := unbounded(t.Context())
		fieldtext.Readings(b, value, fallback)
		checkCost(t, unit, len(value), b)
		b = unbounded(t.Context())
		for _, m := range ParseMailboxes(b, value) {
			m.DisplayName(b, fallback)
		}
		checkCost(t, unit, len(value), b)
		b = unbounded(t.Context())
		Header{{"Received", value}}.TraceIPs(b)
		checkCost(t, unit, len(value), b)
		for _, message := range []string{value, "Content-Type: multipart/mixed; boundary=b\n\n" + value, "Content-Type: a/b; name=" + value + "\n\n", strings.Repeat("Content-Disposition: x; filename="+unit+"\n", 30)} {
			b := unbounded(t.Context())
			if err := ReadParts(b, strings.NewReader(message), func(p *Part) error {
				_, err := io.Copy(io.Discard, p.Body)
				return err
			}); err != nil && !errors.Is(err, ErrComplex) {
				t.Fatal(err)
			}
			checkCost(t, unit, len(message), b)
		}
	})
}

// BenchmarkDear tells how many octets a second the parts of the dearest messages
// are read at.
func BenchmarkDear(b *testing.B) {
	for _, unit := range units() {
		for _, size := range []int{100, 4 << 10} {
			part := "--b\nContent-Type: multipart/mixed; " + strings.Repeat(unit, 1+size/len(unit)) + "\n\n"
			message := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat(part, 1+(256<<10)/len(part))
			b.Run(strings.ReplaceAll(unit, "\n", "_")+"/"+strconv.Itoa(size), func(b *testing.B) {
				b.SetBytes(int64(len(message)))
				for b.Loop() {
					_, _ = ListParts(unbounded(b.Context()), strings.NewReader(message), "koi8-r")
				}
			})
		}
	}
}
