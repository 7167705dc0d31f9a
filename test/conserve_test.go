package test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// says waits until a command prints what matches.
func (g *gateway) says(t *testing.T, re string, command ...string) harness.Output {
	t.Helper()
	var out harness.Output
	err := eventually(harness.Patience, func() (err error) {
		out, err = g.gate.Command(t.Context(), command...)
		if err == nil && !regexp.MustCompile("(?m)"+re).MatchString(out.Stdout+out.Stderr) {
			err = fmt.Errorf("%v: exit %d, printed\n%s%s", command, out.Exit, out.Stdout, out.Stderr)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A record that is taken out of the store, and one that is put there twice, are
// named; the numbers of the status agree until then, over a kill, too.
func TestAuditNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	g := prepare(t, true)
	g.write(t, "policy/policy.toml", "[[client]]\nid = \"sales\"\naddresses = [\"@example.org\"]\n")
	g.start(t)
	send := func() {
		t.Helper()
		for i := range 3 {
			if r, err := g.transaction("192.0.2.7", "a@example.com", fmt.Sprintf("u%d@example.org", i)); err != nil || !r.OK() {
				t.Fatal(r, err)
			}
		}
	}
	send()
	g.says(t, `records +3 spooled = 3 applied \+ 0 waiting \+ 0 parked \+ 0 given up \+ 0 duplicates \+ 0 accepted as lost`, "status")
	if err := g.redis.Stop(); err != nil {
		t.Fatal(err)
	}
	send()
	if err := g.gate.Process().Kill(); err != nil {
		t.Fatal(err)
	}
	if err := g.redis.Start(); err != nil {
		t.Fatal(err)
	}
	if err := g.gate.Start(); err != nil {
		t.Fatal(err)
	}
	g.says(t, `records +6 spooled = 6 applied \+ 0 waiting`, "status")
	if out := g.says(t, "^6 records of the spool: 6 applied once, 0 parked, 0 given up, 0 missing, 0 doubled", "audit"); out.Exit != 0 {
		t.Error(out)
	}
	db := goredis.NewClient(&goredis.Options{Addr: g.redis.Addr})
	defer db.Close()
	stream := "tg:{c:sales}:rec:" + time.Now().UTC().Format("2006-01")
	entries, err := db.XRange(t.Context(), stream, "-", "+").Result()
	if err != nil || len(entries) != 6 {
		t.Fatal(entries, err)
	}
	gone, twice := entries[1], entries[4]
	if err := db.XDel(t.Context(), stream, gone.ID).Err(); err != nil {
		t.Fatal(err)
	}
	if err := db.XAdd(t.Context(), &goredis.XAddArgs{Stream: stream, Values: twice.Values}).Err(); err != nil {
		t.Fatal(err)
	}
	out := g.says(t, "4 applied once, 0 parked, 0 given up, 1 missing, 1 doubled", "audit")
	for word, entry := range map[string]goredis.XMessage{"missing": gone, "doubled": twice} {
		if !regexp.MustCompile(word + " .* sales +" + regexp.QuoteMeta(fmt.Sprint(entry.Values["id"]))).MatchString(out.Stdout) {
			t.Errorf("%s is not named: %s", word, out.Stdout)
		}
	}
	if out.Exit != 1 {
		t.Errorf("exit %d", out.Exit)
	}
	// And the count says it as well.
	if err := db.HIncrBy(t.Context(), "tg:{c:sales}:applied", "gw1.test", -1).Err(); err != nil {
		t.Fatal(err)
	}
	g.says(t, `6 usage records were spooled, and the store has 5 .*tollgate audit`, "status")
	if out, err := g.gate.Command(t.Context(), "audit", "--accept", "2", "--note", "x"); err != nil || out.Exit == 0 {
		t.Errorf("two are accepted where one is missing: %v %+v", err, out)
	}
	g.says(t, "1 record accepted as lost by root: a stick in the spokes", "audit", "--accept", "1", "--note", "a stick in the spokes")
	g.says(t, `\+ 1 accepted as lost`, "status")
	g.says(t, "4 applied once, 0 parked, 0 given up, 0 missing, 1 doubled", "audit")
	g.says(t, "accepted.*a stick in the spokes", "journal", "--json")
}

// The second gateway of one name is refused; a restart of the first is not.
func TestTwoGatewaysOfOneName(t *testing.T) {
	t.Parallel()
	first := prepare(t, true)
	second := prepareOn(t, sandbox(t), first.redis)
	for _, g := range []*gateway{first, second} {
		g.write(t, "policy/policy.toml", "[[client]]\nid = \"sales\"\naddresses = [\"@example.org\"]\n")
	}
	first.start(t)
	if err := second.gate.Start(); err == nil {
		t.Fatal("the second starts")
	}
	logs := second.box.Logs()
	if !strings.Contains(logs, `another gateway of this name uses the same store: it runs at `) || !strings.Contains(logs, first.gate.State) {
		t.Errorf("it says: %s", logs)
	}
	for range 2 {
		if err := first.gate.Process().Kill(); err != nil {
			t.Fatal(err)
		}
		if err := first.gate.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := first.transaction("192.0.2.7", "a@example.com", "u@example.org"); err != nil || !r.OK() {
		t.Error(r, err)
	}
	// Once it has ended another may have its name.
	if err := first.gate.Stop(harness.Patience); err != nil {
		t.Fatal(err)
	}
	if err := second.gate.Start(); err != nil {
		t.Fatal(err)
	}
}
