package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sales has a price and a balance.
const sales = policy + `tariff    = "office"
mode      = "prepaid"
credit_limit = "12.50"
[[tariff]]
name         = "office"
currency     = "RUB"
per_delivery = "0.000001"
`

// What is about the account works on the files where no daemon runs, and leaves
// nothing behind that keeps one from starting.
func TestAnswersWithoutDaemon(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", sales)
	if o := h.run("clients", "list"); o.code != exitAway || !strings.Contains(o.err, "no account yet") {
		t.Errorf("before the first start: %d %q", o.code, o.err)
	}
	h.account(time.Now().UTC().Truncate(time.Millisecond), "sales", "sales")
	if out := h.mustRun("clients", "list"); !strings.Contains(out, "sales") || !strings.Contains(out, "2000 B") && !strings.Contains(out, "2.0 KiB") {
		t.Errorf("clients list: %q", out)
	}
	if out := h.mustRun("clients", "pay", "sales", "1000.00", "--id", "invoice-17"); !strings.HasPrefix(out, "invoice-17 of 1000.00 RUB booked; balance ") {
		t.Errorf("pay: %q", out)
	}
	if out := h.mustRun("clients", "pay", "sales", "1000.00", "--id", "invoice-17"); !strings.Contains(out, "was booked before") {
		t.Errorf("pay again: %q", out)
	}
	if o := h.run("clients", "pay", "sales", "1.00", "--id", "invoice-17"); o.code != exitNegative {
		t.Errorf("pay another sum: %d %q", o.code, o.err)
	}
	if o := h.run("clients", "adjust", "sales", "-12.50"); o.code != exitUsage || !strings.Contains(o.err, "--reason") {
		t.Errorf("adjust without a reason: %d %q", o.code, o.err)
	}
	h.mustRun("clients", "adjust", "sales", "-12.50", "--reason", "damaged by us")
	month := time.Now().UTC().Format("2006-01")
	if out := h.mustRun("statement", "sales", month); !strings.Contains(out, "damaged by us") || !strings.Contains(out, "closing balance") {
		t.Errorf("statement: %q", out)
	}
	h.write("mail.log", "")
	for _, args := range []string{"audit", "reconcile --since yesterday --maillog " + h.path("mail.log"), "close 2020-01 --yes --force"} {
		// A machine may have no Postfix whose queue reconcile could ask.
		if o := h.run(strings.Fields(args)...); o.code == exitAway && !strings.Contains(o.err, "queue cannot be reached") || o.code == exitUsage {
			t.Errorf("%s: %d %q", args, o.code, o.err)
		}
	}
	if o := h.run("clients", "show", "nobody"); o.code != exitNegative {
		t.Errorf("%d %q", o.code, o.err)
	}
	if o := h.run("policy", "log"); o.code != exitNegative {
		t.Errorf("the history has %q: nothing was in force", o.out)
	}
	s := h.serve()
	if out := h.mustRun("clients", "show", "sales"); !strings.Contains(out, "987.") {
		t.Errorf("with the daemon: %q", out)
	}
	s.stop(syscall.SIGTERM)
}

// Money is a decimal text in all JSON.
func TestMoneyInJSON(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", sales)
	h.account(time.Now().UTC().Truncate(time.Millisecond), "sales")
	month := time.Now().UTC().Format("2006-01")
	for _, tt := range []struct{ args, want string }{
		{"clients pay sales 1.5 --id a --json", `"amount": "1.50",`},
		{"clients list --json", `"balance": "1.50",`},
		{"clients show sales --json", `"credit_limit": "12.50"`},
		{"report --json", `"balance":"1.50"`},
		{"report --json", `"cost":"0.00"`},
		{"statement sales " + month + " --json", `"closing": "1.50",`},
		{"statement sales " + month + " --json", `"amount": "1.50"`},
		{"statement sales " + month + " --json", `"remainder": "0.00",`},
	} {
		if out := h.mustRun(strings.Fields(tt.args)...); !strings.Contains(out, tt.want) {
			t.Errorf("%s: %s, want %s", tt.args, out, tt.want)
		}
	}
	if got, err := exactUnits("567916.412353515625"); err != nil || got != "0.567916412353515625" {
		t.Errorf("%q, %v", got, err)
	}
}

// Check says of each service whether it answers.
func TestCheckLive(t *testing.T) {
	h := newHouse(t)
	if out := h.mustRun("check", "--live"); !strings.Contains(out, "needs no service") {
		t.Errorf("%q", out)
	}
	clamd, err := net.Listen("unix", h.path("clamd"))
	if err != nil {
		t.Fatal(err)
	}
	defer clamd.Close()
	go func() {
		for {
			c, err := clamd.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 100)
			n, _ := c.Read(b)
			answer := "PONG\n"
			if strings.Contains(string(b[:n]), "VERSION") {
				answer = "ClamAV 1.4.3\x00"
			}
			_, _ = c.Write([]byte(answer))
			_ = c.Close()
		}
	}()
	h.write("policy.toml", policy+`
[antivirus]
clamd = "unix:clamd"
`)
	if out := h.mustRun("check", "--live"); !strings.Contains(out, "antivirus (clamav): answers: ClamAV 1.4.3") {
		t.Errorf("%q", out)
	}
	h.write("policy.toml", policy+`
[redis]
addrs = ["127.0.0.1:1"]
[[module]]
name = "rspamd"
type = "rspamd"
url  = "http://127.0.0.1:1"
[[module]]
name = "files"
type = "attachment"
`)
	o := h.run("check", "--live")
	if o.code != exitAway || !strings.Contains(o.out, "ok (") || !strings.Contains(o.out, "Redis 127.0.0.1:1: does not answer: ") ||
		!strings.Contains(o.out, "rspamd (rspamd): does not answer: ") || strings.Contains(o.out, "files") {
		t.Errorf("%d %q %q", o.code, o.out, o.err)
	}
	var rows []serviceRow
	o = h.run("check", "--live", "--json")
	if err := json.Unmarshal([]byte(o.out), &rows); err != nil || o.code != exitAway || len(rows) != 2 || rows[0].Severity != "error" || rows[0].Answers {
		t.Errorf("%d %+v %v", o.code, rows, err)
	}
	h.write("policy.toml", policy+"[nonsense]\n")
	if o := h.run("check", "--live"); o.code != exitPolicy {
		t.Errorf("a bad policy: %d", o.code)
	}
}

// What root's command makes in the daemon's folders is the daemon's afterwards, the
// folder of journals and files deep inside too; and no inspector is needed for it.
func TestRootGivesBack(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("CI runs as root")
		}
		t.Skip("only root can make files of somebody else's")
	}
	h := newHouse(t)
	h.write("policy.toml", sales)
	h.account(time.Now().UTC().Truncate(time.Millisecond), "sales")
	const nobody = 65534
	each := func(fn func(path string, info os.FileInfo)) {
		for _, dir := range []string{"state", "journal"} {
			err := filepath.Walk(filepath.Join(h.dir, dir), func(path string, info os.FileInfo, err error) error {
				if os.IsNotExist(err) {
					return nil
				}
				if err == nil {
					fn(path, info)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	each(func(path string, _ os.FileInfo) {
		if err := os.Lchown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.RemoveAll(filepath.Join(h.dir, "journal")); err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(h.dir, "state", "account.records", "made-by-root")
	if err := os.WriteFile(deep, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h.mustRun("close", "2020-01", "--yes", "--force")
	if _, err := os.Stat(filepath.Join(h.dir, "journal")); err != nil {
		t.Fatal(err)
	}
	each(func(path string, info os.FileInfo) {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != nobody {
			t.Errorf("%s is of user %d", path, owner.Uid)
		}
	})
	if err := os.Remove(deep); err != nil {
		t.Error(err)
	}
}

// What would not be told apart or shown later is not booked; an id that was used says
// for what; who is defined no more is listed while there is money, and can settle it.
func TestEntriesAndWhoIsGone(t *testing.T) {
	h := newHouse(t)
	h.write("policy.toml", sales)
	h.account(time.Now().UTC().Truncate(time.Millisecond), "sales")
	for _, args := range [][]string{
		{"pay", "sales", "1.00", "--id", " x "}, {"pay", "sales", "1.00", "--id", "x\ty"}, {"pay", "sales", "1.00", "--id", "x", "--note", "one\ntwo"},
		{"adjust", "sales", "0.00", "--reason", "nothing"}, {"adjust", "sales", "1.00", "--reason", "a\x1b[31m"},
	} {
		if o := h.run(append([]string{"clients"}, args...)...); o.code == 0 {
			t.Errorf("%q: %d %q", args, o.code, o.out)
		}
	}
	h.mustRun("clients", "pay", "sales", "5.00", "--id", "invoice 17")
	if o := h.run("clients", "pay", "sales", "6.00", "--id", "invoice 17"); o.code != exitNegative || !strings.Contains(o.err, "payment of 5.00 RUB") {
		t.Errorf("%d %q", o.code, o.err)
	}
	month := time.Now().UTC().Format("2006-01")
	if out := h.mustRun("statement", "sales", month, "--csv"); !strings.HasPrefix(out, "client,period,line,") || !strings.Contains(out, ",invoice 17,") {
		t.Errorf("%q", out)
	}
	if o := h.run("statement", "sales", month, "--csv", "--json"); o.code != exitUsage {
		t.Errorf("%d %q", o.code, o.err)
	}
	h.write("policy.toml", strings.Replace(sales, `"sales"`, `"other"`, 1))
	if out := h.mustRun("clients", "list"); !strings.Contains(out, "sales") || !strings.Contains(out, "gone") {
		t.Errorf("%q", out)
	}
	if out := h.mustRun("clients", "show", "sales"); !strings.Contains(out, "gone") {
		t.Errorf("%q", out)
	}
	h.mustRun("clients", "adjust", "sales", "--reverses", "invoice 17")
	h.mustRun("statement", "sales", month)
	if out := h.mustRun("clients", "list"); strings.Contains(out, "gone") && !strings.Contains(out, "-0.0") {
		t.Errorf("%q", out)
	}
	for _, args := range []string{"clients show nobody", "clients pay nobody 1.00 --id x"} {
		if o := h.run(strings.Fields(args)...); o.code != exitNegative || !strings.Contains(o.err, "there is no client") {
			t.Errorf("%s: %d %q", args, o.code, o.err)
		}
	}
	// A slip of the month is not sealed, nor a day of a month of which the account has no days.
	for _, period := range []string{"2019-01", "2019-W07", time.Now().UTC().AddDate(0, 0, -3).Format(time.DateOnly)} {
		if o := h.run("close", period); o.code != exitNegative || !strings.Contains(o.err, "nothing was ever charged") || !strings.Contains(o.err, "--force") {
			t.Errorf("%s: %d %q", period, o.code, o.err)
		}
	}
}
