package list

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/keyfile"
)

func self(t *testing.T) os.FileInfo {
	t.Helper()
	info, err := os.Stat("built.go")
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// buildText makes a list of a text, as a file.
func buildText(t *testing.T, text string) (*List, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list.tgl")
	problems, err := Build(path, self(t), "text", strings.NewReader(text), func() (Text, error) { return Text{Name: "text"}, nil })
	if err != nil || problems.Err() != nil {
		t.Fatal(problems, err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	l, from, err := Open(f)
	if err != nil {
		t.Fatal(err)
	}
	if from.Name != "text" {
		t.Errorf("built from %q", from.Name)
	}
	return l, path
}

// A list that was built says of every value what its text says.
func TestBuiltSameAsText(t *testing.T) {
	pick := func(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		domain := func() string {
			name := pick(r, "a", "b", "xn--e1afmkfd", "пример", "Big") + "." + pick(r, "example", "org", "рф", "test.")
			if r.IntN(3) == 0 {
				name = pick(r, "x", "y", "z") + "." + name
			}
			return name
		}
		local := func() string { return pick(r, "u", "User", "\"q r\"", "o.p", "иван", "u+tag") }
		addr := func() string {
			if r.IntN(3) == 0 {
				return fmt.Sprintf("2001:db8:%x::%x", r.IntN(3), r.IntN(4))
			}
			return fmt.Sprintf("192.0.%d.%d", r.IntN(3), r.IntN(256))
		}
		entry := func() string {
			switch r.IntN(9) {
			case 0:
				return local() + "@"
			case 1:
				return "@" + domain()
			case 2:
				return domain()
			case 3:
				return "." + domain()
			case 4:
				return addr()
			case 5:
				return fmt.Sprintf("192.0.%d.0/%d", 16*r.IntN(2), 20+r.IntN(13))
			case 6:
				return fmt.Sprintf("2001:db8::/%d", 30+r.IntN(40))
			case 7:
				low := r.IntN(200)
				return fmt.Sprintf("192.0.2.%d-192.0.2.%d", low, low+r.IntN(50))
			}
			return local() + "@" + domain()
		}
		var lines []string
		for range r.IntN(30) {
			lines = append(lines, entry()+pick(r, "", "  # why"))
		}
		text := strings.Join(lines, "\n")
		plain, problems := Read("text", strings.NewReader(text), Names, nil)
		if problems.Err() != nil {
			t.Fatalf("%s: %v", text, problems)
		}
		made, _ := buildText(t, text)
		if !made.Built() || plain.Built() {
			t.Fatal("which of them was built?")
		}
		for class, want := range plain.Entries() {
			if !made.HasClass(class) || !made.covers(class, want) {
				t.Fatalf("%s: %s %q is not there", text, class, want)
			}
		}
		var got, want []string
		for class, e := range made.Entries() {
			got = append(got, fmt.Sprint(class, e))
		}
		for class, e := range plain.Entries() {
			want = append(want, fmt.Sprint(class, e))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || made.Len() != len(want) {
			t.Fatalf("%d entries %q, want %q", made.Len(), got, want)
		}
		for range 100 {
			value := pick(r, local()+"@"+domain(), domain(), addr(), "["+addr()+"]", "", "x."+domain(), local()+"@sub."+domain(), "a.b.c.exe", strings.Repeat("a.", 600))
			if got, want := made.HasText(value, unlimited()), plain.HasText(value, unlimited()); got != want {
				t.Fatalf("%s\n%q: %v, from the text %v", text, value, got, want)
			}
			mailbox := "Name <" + value + ">"
			if got, want := made.HasMailbox(mailbox, unlimited()), plain.HasMailbox(mailbox, unlimited()); got != want {
				t.Fatalf("%s\n%q: %v, from the text %v", text, mailbox, got, want)
			}
			if got, want := made.HasEnding(value), plain.HasEnding(value); got != want {
				t.Fatalf("%s\n%q by its ending: %v, from the text %v", text, value, got, want)
			}
			a := netip.MustParseAddr(addr())
			if got, want := made.HasAddr(a, unlimited()), plain.HasAddr(a, unlimited()); got != want {
				t.Fatalf("%s\n%s: %v, from the text %v", text, a, got, want)
			}
			p := netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked()
			if got, want := made.CoversPrefix(p), plain.CoversPrefix(p); got != want {
				t.Fatalf("%s\ncovers %s: %v, from the text %v", text, p, got, want)
			}
			if got, want := made.MeetsPrefix(p), plain.MeetsPrefix(p); got != want {
				t.Fatalf("%s\nmeets %s: %v, from the text %v", text, p, got, want)
			}
		}
	}
}

// What cannot be built is told of with its line, and nothing is left.
func TestBuildProblems(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.tgl")
	problems, err := Build(path, self(t), "text", strings.NewReader("good.example\n/bad/ # an expression\nno name\n"), func() (Text, error) { return Text{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 2 || problems[0].Pos.Line != 2 || !strings.Contains(problems[0].Msg, "expression") || problems[1].Pos.Line != 3 {
		t.Errorf("%v", problems)
	}
	changed := errors.New("changed")
	if _, err := Build(path, self(t), "text", strings.NewReader("a.example"), func() (Text, error) { return Text{}, changed }); !errors.Is(err, changed) {
		t.Error(err)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) > 0 {
		t.Errorf("left: %v, %v", names, err)
	}
}

// An entry that is longer than any is an error of its own; those after it are taken.
func TestLongEntries(t *testing.T) {
	long := strings.Repeat("a", 1100)
	words, problems := Read("text", strings.NewReader("one\n"+long+"\ntwo "+long+" three\nfour\n"), Words, expr.NewCache(expr.DefaultCache))
	if len(problems) != 2 || problems[0].Pos.Line != 2 || problems[1].Pos.Line != 3 || !strings.Contains(problems[0].Msg, "octets") {
		t.Errorf("%v", problems)
	}
	if !words.HasText("four", unlimited()) {
		t.Error("what stands behind it is not taken")
	}
}

// What cannot be read is an error and not an absence; what stands in good parts is found.
func TestBuiltDamaged(t *testing.T) {
	l, path := buildText(t, "a.example\nb.example\n192.0.2.0/24\n")
	if err := os.Truncate(path, 90); err != nil {
		t.Fatal(err)
	}
	look := l.Look(unlimited())
	if look.Text("a.example") || !errors.Is(look.Err(), keyfile.ErrDamaged) {
		t.Errorf("%v", look.Err())
	}
	look = l.Look(unlimited())
	if look.Addr(netip.MustParseAddr("192.0.2.1")) || !errors.Is(look.Err(), keyfile.ErrDamaged) {
		t.Errorf("%v", look.Err())
	}
	if n, err := l.Failed(); n != 2 || !errors.Is(err, keyfile.ErrDamaged) {
		t.Errorf("%d look-ups failed, the last: %v", n, err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, _, err := Open(f); !errors.Is(err, keyfile.ErrDamaged) {
		t.Errorf("opened: %v", err)
	}
}

// FuzzRead has any file read as a list of each kind, and built.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"a@b.example\n.c.example # why\n192.0.2.0/24\n/x+/\n", "\ufeffword one\n\n", "192.0.2.1-192.0.2.9\r\n@\n\x00\n", "xn--a.example\n::/0\n[IPv6:::1]\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for kind := range KindNames() {
			l, _ := Read("text", strings.NewReader(text), Kind(kind), expr.NewCache(expr.DefaultCache))
			for _, line := range strings.Split(text, "\n")[:min(4, strings.Count(text, "\n")+1)] {
				l.HasText(line, unlimited())
				l.HasMailbox(line, unlimited())
			}
		}
		plain, problems := Read("text", strings.NewReader(text), Names, expr.NewCache(expr.DefaultCache))
		if problems.Err() != nil || plain.HasClass(Patterns) {
			return
		}
		made, _ := buildText(t, text)
		for class, entry := range plain.Entries() {
			if !made.covers(class, entry) {
				t.Fatalf("%s %q is not in what was built", class, entry)
			}
		}
	})
}
