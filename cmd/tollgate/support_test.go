package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// line is one of a journal, with the fields that most have.
func line(kind, ref, more string) string {
	return fmt.Sprintf(`{"time":"2026-11-28T10:00:00.000Z","kind":%q,"gateway":"mx1","ref":%q,"client_ip":"192.0.2.7","client_host":"unknown","helo":"h","sender":"a@example.com",%s}`+"\n", kind, ref, more)
}

// One damaged file hides nothing that the others have, and what it may have is no
// "nothing found".
func TestDamagedPage(t *testing.T) {
	h := newHouse(t)
	h.write("journal/messages.jsonl", line("messages", "ref001", `"queue_id":"4LX","recipients":["ivan@example.org"],"verdict":"accept"`))
	h.write("journal/blocks.jsonl.1.gz", "not packed")
	h.write("journal/antivirus.jsonl.2.zst", "packed by others")
	for _, args := range []string{"journal show ref001", "journal show 4LX", "explain --ref ref001 --offline"} {
		o := h.run(strings.Fields(args)...)
		if o.code != 0 || !strings.Contains(o.out, "ref001") {
			t.Errorf("%s: %+v", args, o)
		}
		for _, name := range []string{"blocks.jsonl.1.gz", "antivirus.jsonl.2.zst"} {
			if strings.Count(o.err, name) != 1 {
				t.Errorf("%s: %s is told %d times: %s", args, name, strings.Count(o.err, name), o.err)
			}
		}
	}
	if o := h.run("explain", "--ref", "ref001", "--offline"); !strings.Contains(o.out, "files of the journal that cannot be read") {
		t.Error(o.out)
	}
	for _, args := range []string{"journal show none00", "explain --ref none00 --offline"} {
		if o := h.run(strings.Fields(args)...); o.code != exitAway || !strings.Contains(o.err, "nothing found in what can be read") {
			t.Errorf("%s: %+v", args, o)
		}
	}
}

// What --count-by rule prints finds the messages that were counted.
func TestJournalCause(t *testing.T) {
	h := newHouse(t)
	h.write("journal/messages.jsonl", line("messages", "ref001", `"recipients":["ivan@example.org"],"verdict":"reject","reason":"virus Eicar"`)+
		line("messages", "ref002", `"recipients":["ivan@example.org"],"verdict":"accept"`)+line("messages", "ref003", `"recipients":[],"verdict":"reject"`))
	h.write("journal/blocks.jsonl", line("blocks", "ref003", `"recipient":"x@example.org","stage":"rcptto","verdict":"reject","reason":"refused by the MTA: 5.1.1"`))
	counted := h.mustRun("journal", "--count-by", "rule")
	for cause, ref := range map[string]string{"(antivirus)": "ref001", "(none)": "ref002", "(mta)": "ref003", "(MTA)": "ref003"} {
		if !strings.Contains(counted, strings.ToLower(cause)) {
			t.Errorf("%s is not counted:\n%s", cause, counted)
		}
		for _, more := range [][]string{nil, {"-n", "5"}} {
			out := h.mustRun(append([]string{"journal", "--rule", cause}, more...)...)
			if !strings.Contains(out, ref) || strings.Count(out, "\n") != 2 {
				t.Errorf("%s %v:\n%s", cause, more, out)
			}
		}
	}
	if o := h.run("journal", "--rule", "(fault)"); o.code != exitNegative || strings.Contains(o.err, "no rule") {
		t.Errorf("%+v", o)
	}
}

// Most refusals come before there is a Subject: a search by it says how many it leaves out.
func TestJournalSubject(t *testing.T) {
	h := newHouse(t)
	block := `"recipient":"ivan@example.org","stage":"%s","verdict":"reject","reason":"rule x","subject":"%s"`
	h.write("journal/blocks.jsonl", line("blocks", "ref001", fmt.Sprintf(block, "rcptto", ""))+line("blocks", "ref001", fmt.Sprintf(block, "rcptto", ""))+
		line("blocks", "ref002", fmt.Sprintf(block, "mailfrom", ""))+line("blocks", "ref003", fmt.Sprintf(block, "headers", "the invoice"))+
		line("blocks", "ref004", fmt.Sprintf(block, "complete", ""))+line("blocks", "ref005", fmt.Sprintf(block, "rcptto", "")))
	// Another recipient of the same message was accepted: by its Subject it is found.
	h.write("journal/messages.jsonl", line("messages", "ref005", `"recipients":["olga@example.org"],"stage":"complete","verdict":"accept","subject":"the offer"`))
	for args, want := range map[string]string{
		"ivan --subject invoice":                   "besides, 2 messages refused before the Subject was known",
		"ivan --subject invoice --verdict reject":  "besides, 2 messages refused",
		"ivan --subject nothing":                   "besides, 2 messages refused",
		"ivan --subject invoice --verdict accept":  "",
		"ivan --subject invoice --stage headers":   "",
		"olga --subject invoice":                   "",
		"antivirus ivan --subject invoice --json":  "",
		"ivan --subject invoice --stage rcptto -f": "",
	} {
		if strings.HasSuffix(args, "-f") {
			continue
		}
		o := h.run(append([]string{"journal"}, strings.Fields(args)...)...)
		if want == "" && strings.Contains(o.err, "besides") || !strings.Contains(o.err, want) {
			t.Errorf("%s: %+v", args, o)
		}
	}
}

// A message that somebody removed by hand is not told to be on hold.
func TestHeldNoMore(t *testing.T) {
	h := holding(t)
	show := func(ref string) string {
		t.Helper()
		c := h.command("journal", "show", ref, "--policy", "policy.toml")
		c.Env = append(c.Env, "CALLS="+h.path("calls"), "QUEUE="+h.path("queue"))
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	const gone = "it is on hold no more"
	if out := show("r1"); strings.Contains(out, gone) {
		t.Errorf("it is on hold:\n%s", out)
	}
	h.write("queue", "")
	if out := show("r1"); !strings.Contains(out, gone) {
		t.Errorf("it is not on hold:\n%s", out)
	}
	h.write("queue", "no JSON, but \"hold\"\n")
	if out := show("r1"); strings.Contains(out, gone) {
		t.Errorf("Postfix cannot be asked:\n%s", out)
	}
}

// Which messages, where no log is followed and no time is named?
func TestReconcileWithoutLog(t *testing.T) {
	h := newHouse(t)
	h.serve()
	if o := h.run("reconcile"); o.code != exitUsage || !strings.Contains(o.err, "--since says from when") {
		t.Errorf("%+v", o)
	}
}

// Headers that programs give to the files that they write are known, and those of people
// are not taken for such.
func TestGeneratedHeaders(t *testing.T) {
	h := newHouse(t)
	for head, made := range map[string]bool{
		"# Ansible managed": true, "# ansible-managed: policy.toml.j2": true, "# Managed by Salt": true, "# This file is managed by Puppet. DO NOT EDIT": true,
		"# Please do not modify this file": true, "#Do not change by hand": true, "# Don't touch": true, "# Generated by make-policy 1.2": true,
		"# AUTOGENERATED": true, "# auto-generated file": true, "# Automatically generated from hosts.yml": true, "# Generated on 2026-11-28": true, "# generated": true,
		"# This file was generated": true, "# Your changes will be overwritten": true, "\n# managed with chezmoi": true,
		"# Our policy. Ask Anna before you change it": false, "# automatically written mail is not greylisted": false, "# the office manager's rules": false,
		"# mail that was generated and forwarded": true, "reply = \"mail generated by machines is not taken\"": false,
		"#\n#\n#\n#\n# Managed by nobody": false, "# edit and reload": false, "# machine-generated mail is rejected below": false,
	} {
		h.write("head.toml", head+"\n[gateway]\n")
		if err := mayWrite(h.path("head.toml")); (err != nil) != made {
			t.Errorf("%q: %v", head, err)
		}
	}
}

// A rollback without a daemon has done what it could, and says so.
func TestRollbackWithoutDaemon(t *testing.T) {
	h := newHouse(t)
	d := h.serve()
	h.write("policy.toml", policy+"[[threshold]]\nabove = 5\naction = \"reject\"\n")
	h.mustRun("reload")
	d.stop(syscall.SIGTERM)
	o := h.run("policy", "rollback", "previous")
	if o.code != exitAway || !strings.Contains(o.err, "come in force with the next start") || h.read("policy.toml") != policy {
		t.Errorf("%+v", o)
	}
}

// A password in a URL is not kept: a policy of before one that was changed comes back with
// the one of now, and the command says so.
func TestRollbackBeforeAnotherPassword(t *testing.T) {
	h := newHouse(t)
	module := "[[module]]\nname = \"web\"\ntype = \"http\"\nurl = \"http://scanner:%s@127.0.0.1:1/\"\non_error = \"ignore\"\n"
	first := policy + fmt.Sprintf(module, "first")
	h.write("policy.toml", first)
	h.serve()
	h.write("policy.toml", policy+fmt.Sprintf(module, "second")+"[[threshold]]\nabove = 5\naction = \"reject\"\n")
	h.mustRun("reload")
	o := h.run("policy", "rollback", "previous")
	if o.code != 0 || !strings.Contains(o.err, "passwords in URLs are those of now") {
		t.Errorf("%+v", o)
	}
	if got := h.read("policy.toml"); got != strings.Replace(first, "first", "second", 1) {
		t.Errorf("%s", got)
	}
	if strings.Contains(o.out+o.err, "second") {
		t.Errorf("a password is shown: %+v", o)
	}
}

// A candidate that could never be promoted is told at its start.
func TestCanaryFromElsewhere(t *testing.T) {
	h := newHouse(t)
	h.serve()
	rule := "[[rule]]\nname = \"x\"\nstage = \"connect\"\nmatch.client_ip = \"list:nets\"\nweight = 1\n"
	h.write("cand/nets.txt", "192.0.2.1\n")
	h.write("nets.txt", "192.0.2.1\n")
	for file, told := range map[string]string{
		"cand/own.toml":    "nets.txt",
		"cand/whole.toml":  "",
		"cand/nofile.toml": "",
		"beside.toml":      "",
	} {
		text := policy + rule + "[lists]\nnets = { file = \"nets.txt\" }\n"
		switch file {
		case "cand/whole.toml":
			text = strings.Replace(text, `"nets.txt"`, `"`+h.path("cand/nets.txt")+`"`, 1)
		case "cand/nofile.toml":
			text = strings.Replace(text, `{ file = "nets.txt" }`, `["192.0.2.1"]`, 1)
		}
		if strings.HasPrefix(file, "cand/") {
			text = strings.NewReplacer(`"state"`, `"`+h.path("state")+`"`, `"journal"`, `"`+h.path("journal")+`"`, `"unix:milter.sock"`, `"unix:`+h.path("milter.sock")+`"`).Replace(text)
		}
		h.write(file, text)
		o := h.run("canary", "start", h.path(file), "--share", "10%")
		if o.code != 0 || strings.Contains(o.err, "cannot put it in force") != (told != "") || !strings.Contains(o.err, told) {
			t.Errorf("%s: %+v", file, o)
		}
		h.mustRun("canary", "stop")
	}
	if _, err := os.Stat(h.path("cand")); err != nil {
		t.Fatal(err)
	}
}

// Every command of the page for support finds something.
func TestSupportPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/ru/journal.md")
	if err != nil {
		t.Fatal(err)
	}
	h := holding(t)
	now := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000Z") // also where midnight comes meanwhile
	today := func(kind, ref, more string) string {
		return strings.Replace(line(kind, ref, more), "2026-11-28T10:00:00.000Z", now, 1)
	}
	h.write("journal/messages.jsonl",
		today("messages", "4v1kz8m2p0q3", `"queue_id":"4LxB1234","recipients":["ivan@example.org"],"subject":"Счёт 12","verdict":"accept","weight":"4","tags":["[СПАМ?]"],"thresholds":["threshold above 3"],"rules":[{"name":"lottery","stage":"headers","weight":"4"}]`)+
			strings.Replace(today("messages", "refpart", `"recipients":["ivan@example.org"],"verdict":"accept"`), "a@example.com", "anna@partner.example", 1))
	h.write("journal/blocks.jsonl", strings.ReplaceAll(h.read("journal/blocks.jsonl"), `"ref":"r1"`, `"ref":"4v1kz8m2p0q3"`)+
		today("blocks", "refmta", `"recipient":"x@example.org","stage":"rcptto","verdict":"reject","reason":"refused by the MTA: 5.1.1"`)+
		today("blocks", "refgrey", `"recipient":"ivan@example.org","stage":"rcptto","verdict":"greylist","reason":"greylisted"`))
	h.write("journal/looks.jsonl", `{"time":"`+now+`","kind":"looks","by":"anna","event":"journal show","detail":"r1"}`+"\n")
	ran := 0
	for found := range strings.Lines(string(text)) {
		command, ok := strings.CutPrefix(found, "    tollgate ")
		if !ok {
			continue
		}
		ran++
		c := exec.Command("sh", "-c", `exec "$0" --policy policy.toml `+strings.TrimSpace(command), binary)
		c.Dir = h.dir
		c.Env = []string{"TZ=UTC", "PATH=" + os.Getenv("PATH"), "CALLS=" + h.path("calls"), "QUEUE=" + h.path("queue")}
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
	if ran < 15 {
		t.Errorf("%d commands", ran)
	}
}

// A policy that was in force from another folder is taken back where the policy stands now,
// with what it names from its own folder.
func TestRollbackMoved(t *testing.T) {
	h := newHouse(t)
	first := strings.NewReplacer(`"state"`, `"`+h.path("state")+`"`, `"journal"`, `"`+h.path("journal")+`"`, `"unix:milter.sock"`, `"unix:`+h.path("milter.sock")+`"`).Replace(policy)
	first = "include = [\"d/*.toml\"]\n" + first + "[lists]\nnets = { file = \"nets.txt\" }\nfar = { file = \"" + h.path("far.txt") + "\" }\n"
	const rule = "[[rule]]\nname = \"x\"\nstage = \"connect\"\nmatch.client_ip = [\"list:nets\", \"list:far\"]\nweight = 1\n"
	h.write("far.txt", "192.0.2.9\n")
	for _, dir := range []string{"old", "new"} {
		h.write(dir+"/policy.toml", first)
		h.write(dir+"/d/1.toml", rule)
		h.write(dir+"/nets.txt", "192.0.2.1\n")
	}
	at := func(file string, args ...string) output {
		c := h.command(append(args, "--policy", file)...)
		out, err := c.CombinedOutput()
		return output{out: string(out), err: fmt.Sprint(err), code: c.ProcessState.ExitCode()}
	}
	h.write("policy.toml", h.read("old/policy.toml"))
	h.write("d/1.toml", rule)
	h.write("nets.txt", "192.0.2.1\n")
	d := h.serve()
	d.stop(syscall.SIGTERM)
	if o := at("new/policy.toml", "status"); o.code != exitAway {
		t.Fatalf("%+v", o)
	}
	h.write("new/nets.txt", "192.0.2.2\n")
	h.write("new/d/1.toml", strings.Replace(rule, "weight = 1", "weight = 2", 1))
	h.write("new/d/2.toml", strings.Replace(rule, `"x"`, `"y"`, 1))
	o := at("new/policy.toml", "policy", "rollback", "1")
	if o.code != exitAway || !strings.Contains(o.out, "come in force with the next start") {
		t.Fatalf("%+v", o)
	}
	if h.read("new/policy.toml") != first || h.read("new/nets.txt") != "192.0.2.1\n" || h.read("new/d/1.toml") != rule {
		t.Errorf("the files are not as they were: %+v", o)
	}
	if _, err := os.Stat(h.path("new/d/2.toml")); !os.IsNotExist(err) {
		t.Error("what an include finds besides is still there")
	}
	if h.read("far.txt") != "192.0.2.9\n" {
		t.Error("a file with a whole path is elsewhere")
	}
}
