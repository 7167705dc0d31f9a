package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// ofRedis is a policy whose clients stand in Redis, but for one; nobody answers at
// that address.
const ofRedis = policy + `tariff = "own"

[redis]
addrs = ["127.0.0.1:1"]

[clients]
redis = true

[[tariff]]
name = "own"
currency = "RUB"
per_mib = "1"

[[tariff]]
name = "office"
currency = "RUB"
per_mib = "2"
`

// keptClients is what a gateway leaves in its state folder.
const keptClients = `{"source":"redis","version":"7","read":"2026-11-28T10:00:00Z","clients":2}
{"id":"shop","definition":"{\"addresses\":[\"olga@example.org\"],\"tariff\":\"office\"}"}
{"id":"lab","definition":"{\"addresses\":[\"lab@example.org\"],\"disabled\":true}"}
`

// Commands that ask no server take clients of a source as the gateway keeps them;
// where none are kept nobody is taken for nobody.
func TestClientsOfASourceInCommands(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", ofRedis)
	h.write("a.eml", "To: <olga@example.org>\nFrom: a@example.com\nDate: Sat, 28 Nov 2026 10:00:00 +0000\n\nbody\n")
	h.write("cases.toml", "[[case]]\nname = \"olga\"\nrecipients = [\"olga@example.org\"]\nexpect.verdict = \"accept\"\n")
	verdict := func(to, want, client string) {
		t.Helper()
		var e struct {
			Verdict, Reply string
			Clients        struct{ Error, Source string }
			Records        []struct{ Client string }
		}
		text := h.mustRun("explain", "--offline", "--json", "--recipient", to, "a.eml")
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		got := e.Verdict + " " + e.Reply
		if len(e.Records) > 0 {
			got += e.Records[0].Client
		}
		if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, client) || e.Clients.Source != "redis" {
			t.Errorf("mail to %s: %s %+v, want %s %s", to, got, e.Clients, want, client)
		}
	}
	says := func(code int, what string, args ...string) {
		t.Helper()
		o := h.run(args...)
		if o.code != code || !strings.Contains(o.out+o.err, what) {
			t.Errorf("%v: exit code %d, %q is missing in\n%s%s", args, o.code, what, o.out, o.err)
		}
	}
	// None are kept.
	verdict("ivan@example.org", "accept", "sales")
	verdict("olga@example.org", "tempfail 451 ", "")
	verdict("nobody@example.org", "tempfail 451 ", "")
	says(0, "clients of redis are not known here (no gateway keeps them in ", "explain", "--offline", "a.eml")
	says(0, "clients of redis were not looked at: no gateway keeps them in ", "check")
	says(0, "To and Cc\nclients of redis are not known here", "replay", "a.eml")
	says(1, "clients of redis are not read for tests", "test", "cases.toml")
	// Those of a gateway.
	h.write("state/clients.jsonl", keptClients)
	verdict("olga@example.org", "accept", "shop")
	verdict("lab@example.org", "reject 550 5.2.1", "")
	verdict("nobody@example.org", "reject 550 5.1.1", "")
	says(0, "clients of redis: 2, as the gateway read them at 2026-11-28 ", "explain", "--offline", "a.eml")
	says(0, "clients of redis: 2, as the gateway read them", "check")
	says(0, "To and Cc\nclients of redis: 2, as", "replay", "a.eml")
	says(1, "clients of redis are not read for tests", "test", "cases.toml")
	// A policy that takes a tariff away.
	h.write("policy.toml", strings.Replace(ofRedis, `name = "office"`, `name = "other"`, 1))
	says(0, `clients of redis cannot be had under it (1): shop: `, "check")
	says(78, `; a gateway that has them in force refuses it`, "check", "--strict")
	verdict("olga@example.org", "tempfail 451 ", "")
	h.write("policy.toml", ofRedis)
	// What is kept and cannot be read is not nothing.
	for _, broken := range []string{"", keptClients[:200], "{}\n{", strings.Replace(keptClients, `"clients":2`, `"clients":3`, 1)} {
		h.write("state/clients.jsonl", broken)
		verdict("olga@example.org", "tempfail 451 ", "")
		says(0, "clients of redis are not known here (", "explain", "--offline", "a.eml")
	}
	if err := os.Remove(h.path("state/clients.jsonl")); err != nil {
		t.Fatal(err)
	}
	// A test has its own.
	own := "[[client]]\nid = \"shop\"\naddresses = [\"olga@example.org\"]\ntariff = \"office\"\n" +
		"[[case]]\nname = \"olga\"\nrecipients = [\"olga@example.org\", \"nobody@example.org\"]\n" +
		"[case.expect]\nverdict = \"accept\"\npayers = { \"olga@example.org\" = \"shop\" }\nrefused = { \"nobody@example.org\" = \"550\" }\n"
	h.write("cases.toml", own)
	if o := h.run("test", "cases.toml"); o.code != 0 || strings.Contains(o.out, "clients of redis") {
		t.Errorf("%+v", o)
	}
	for _, c := range []struct{ was, is, says string }{
		{`tariff = "office"`, `tariff = "none"`, "cases.toml:4: "},
		{`addresses = ["olga@`, `addresses = ["ivan@`, `cases.toml:3: address "ivan@example.org" of client "shop" belongs to client "sales" already`},
		{`id = "shop"`, ``, "cases.toml:1: [[client]] needs id"},
		{`id = "shop"`, `id = "sales"`, `cases.toml:1: client "sales" stands in the policy`},
		{"[[client]]", "[client]", "cases.toml:1: clients are tables of their own: write [[client]]"},
	} {
		h.write("cases.toml", strings.Replace(own, c.was, c.is, 1))
		says(2, c.says, "test", "cases.toml")
	}
	h.write("cases.toml", own)
	h.write("policy.toml", policy)
	says(2, "the policy follows none", "test", "cases.toml")
}
