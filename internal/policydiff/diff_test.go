package policydiff_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/policydiff"
)

func lines(changes []policydiff.Change) string {
	var all []string
	for _, c := range changes {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s +%v -%v", c.Where, c.What, c.Key, c.Added, c.Removed)))
	}
	return strings.Join(all, "\n")
}

func TestDiff(t *testing.T) {
	before := policydiff.Policy{
		Canonical: []byte(`{"gateway":{"name":"a"},"lists":{"p":{"file":"p.txt"},"q":["a","b"]},
			"rule":[{"name":"one","match":{"subject":["x","y"]},"weight":1},{"name":"two"},{"name":"three"}],"threshold":[{"above":5.0,"action":"reject"}]}`),
		Clients: [][]byte{[]byte("[[client]]\nid = \"ivan\"\naddresses = [\"a@x\"]\n")},
		Lists:   map[string][]byte{"p": []byte("1\n2 # two\n")},
	}
	after := policydiff.Policy{
		Canonical: []byte(`{"gateway":{"name":"a","on_error":"accept"},"lists":{"p":{"file":"p.txt"},"q":["b"]},
			"rule":[{"name":"three"},{"name":"one","match":{"subject":["y","z"]},"weight":2},{"name":"four"}],"threshold":[{"above":5.0,"action":"hold"}]}`),
		Clients: [][]byte{[]byte("[[client]]\nid = \"ivan\"\naddresses = [\"a@x\", \"b@x\"]\n")},
		Lists:   map[string][]byte{"p": []byte("# none\n2\n3\n")},
	}
	got, err := policydiff.Diff(before, after)
	if err != nil {
		t.Fatal(err)
	}
	want := `rule two removed  +[] -[]
rule three moved  +[] -[]
rule one changed match.subject +["z"] -["x"]
rule one changed weight +[] -[]
rule four added  +[] -[]
threshold above 5.0 changed action +[] -[]
client ivan changed addresses +["b@x"] -[]
list p changed entries +[3] -[1]
list q changed entries +[] -["a"]
[gateway] changed on_error +[] -[]`
	if lines(got) != want {
		t.Errorf("got\n%s\nwant\n%s", lines(got), want)
	}
	if same, err := policydiff.Diff(after, after); err != nil || len(same) > 0 {
		t.Errorf("%+v, %v", same, err)
	}
}

// Which stage's rules stand first in a file is no difference, and neither is whether
// a client with a date stands in the policy or in the file of clients.
func TestNoDifference(t *testing.T) {
	before := policydiff.Policy{
		Canonical: []byte(`{"rule":[{"name":"a","stage":"connect"},{"name":"b","stage":"headers"},{"name":"c","stage":"headers"}]}`),
		Clients:   [][]byte{[]byte("[[client]]\nid = \"ivan\"\nexpires = 2027-03-01\n")},
	}
	after := policydiff.Policy{
		Canonical: []byte(`{"client":[{"expires":"2027-03-01","id":"ivan"}],"rule":[{"name":"b","stage":"headers"},{"name":"c","stage":"headers"},{"name":"a","stage":"connect"}]}`),
	}
	if got, err := policydiff.Diff(before, after); err != nil || len(got) > 0 {
		t.Errorf("%s, %v", lines(got), err)
	}
	after.Canonical = []byte(`{"client":[{"expires":"2027-03-01","id":"ivan"}],"rule":[{"name":"c","stage":"headers"},{"name":"b","stage":"headers"},{"name":"a","stage":"connect"}]}`)
	if got, err := policydiff.Diff(before, after); err != nil || len(got) != 1 || got[0].What != policydiff.Moved {
		t.Errorf("%s, %v", lines(got), err)
	}
}

// Of rules in another order as few are told as explain it: taken out and put
// where they are said to stand, they make the new order.
func TestMoved(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + rng.IntN(8)
		was := rng.Perm(n)
		is := rng.Perm(n)
		policy := func(order []int) policydiff.Policy {
			var all []string
			for _, i := range order {
				all = append(all, fmt.Sprintf(`{"name":"r%d"}`, i))
			}
			return policydiff.Policy{Canonical: []byte(`{"rule":[` + strings.Join(all, ",") + `]}`)}
		}
		changes, err := policydiff.Diff(policy(was), policy(is))
		if err != nil {
			t.Fatal(err)
		}
		left := slices.Clone(was)
		for _, c := range changes {
			left = slices.DeleteFunc(left, func(i int) bool { return c.Where == fmt.Sprintf("rule r%d", i) })
		}
		for _, c := range changes {
			var i int
			if _, err := fmt.Sscanf(c.Where, "rule r%d", &i); err != nil || c.What != policydiff.Moved {
				t.Fatalf("%+v", c)
			}
			at := 0
			if c.After != "first" {
				var behind int
				if _, err := fmt.Sscanf(c.After, "behind r%d", &behind); err != nil {
					t.Fatal(err)
				}
				at = slices.Index(left, behind) + 1
			}
			left = slices.Insert(left, at, i)
		}
		if !slices.Equal(left, is) {
			t.Errorf("%v to %v: %+v", was, is, changes)
		}
	}
}
