package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestBackupAndRestore(t *testing.T) {
	h := withFiles(t)
	h.account(time.Now().UTC().Truncate(time.Millisecond), "ivan", "anna")
	d := h.serve()
	h.write("partners.txt", "192.0.2.2\n")
	h.mustRun("reload", "--message", "two")
	d.await("RELOADING=1")
	d.await("READY=1")
	report, log, policy := h.mustRun("report"), h.mustRun("policy", "log"), h.read("policy.toml")
	h.mustRun("backup", "b.tar.gz")
	if info, err := os.Stat(h.path("b.tar.gz")); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if left, err := filepath.Glob(h.path("state/snapshot-*")); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
	// Looked into elsewhere it changes nothing by which the daemon serves.
	now := policy + "\n# newer\n"
	h.write("policy.toml", now)
	o := h.run("restore", "b.tar.gz", "--state-dir", h.path("elsewhere"))
	if o.code != 0 || h.read("policy.toml") != now || !strings.Contains(o.err, "left as it is") || h.read("elsewhere/policy-of-backup"+h.path("policy.toml")) != policy {
		t.Errorf("%+v", o)
	}
	h.write("policy.toml", policy)
	if o := h.run("restore", "b.tar.gz", "--replace"); o.code != 75 || !strings.Contains(o.err, "held by another") {
		t.Errorf("a state in use: %+v", o)
	}
	d.stop(syscall.SIGKILL)
	if o := h.run("restore", "b.tar.gz"); o.code != 1 || !strings.Contains(o.err, "--replace") {
		t.Errorf("a state that is there: %+v", o)
	}
	if err := os.RemoveAll(h.path("state")); err != nil {
		t.Fatal(err)
	}
	h.write("policy.toml", "[gateway]\nname = \"other\"\n")
	h.write("partners.txt", "lost")
	h.mustRun("restore", "b.tar.gz")
	if h.read("policy.toml") != policy || h.read("partners.txt") != "192.0.2.2\n" {
		t.Error("the policy's files are not back")
	}
	if aside, err := filepath.Glob(h.path("policy.toml.before-*")); err != nil || len(aside) != 1 {
		t.Error(aside, err)
	}
	h.serve()
	if got := h.mustRun("report"); got != report {
		t.Errorf("%s\nwas\n%s", got, report)
	}
	if got := h.mustRun("policy", "log"); got != log {
		t.Errorf("%s\nwas\n%s", got, log)
	}
}

// What an include would find and the backup does not have is moved aside.
func TestRestoreIncludes(t *testing.T) {
	h := withFiles(t)
	h.write("policy.toml", strings.Replace(h.read("policy.toml"), "rules.d/*.toml", "d/*.toml", 1))
	h.write("d/1.toml", "[[rule]]\nname = \"one\"\nstage = \"connect\"\nweight = 1\n")
	if err := os.MkdirAll(h.path("state"), 0o750); err != nil {
		t.Fatal(err)
	}
	h.mustRun("backup", "b.tar.gz")
	later := "[[rule]]\nname = \"three\"\nstage = \"rcptto\"\naction = \"reject\"\n"
	h.write("d/3.toml", later)
	if o := h.run("restore", "b.tar.gz", "--replace"); o.code != 0 || !strings.Contains(o.err, "d/3.toml.before-") {
		t.Errorf("%+v", o)
	}
	if found, err := filepath.Glob(h.path("d/*.toml")); err != nil || len(found) != 1 {
		t.Error(found, err)
	}
	kept, err := filepath.Glob(h.path("d/3.toml.before-*"))
	if err != nil || len(kept) != 1 || h.read("d/"+filepath.Base(kept[0])) != later {
		t.Error(kept, err)
	}
	// A pattern that would find what is kept refuses the policy, and nothing is changed.
	h.write("policy.toml", strings.Replace(h.read("policy.toml"), "d/*.toml", "e/*", 1))
	h.write("e/1.toml", "")
	h.mustRun("backup", "c.tar.gz")
	if o := h.run("restore", "c.tar.gz", "--replace"); o.code != 1 || !strings.Contains(o.err, "let it end in .toml") || !strings.Contains(o.err, "--state-only") {
		t.Errorf("%+v", o)
	}
	if beside, err := filepath.Glob(h.path("e/*")); err != nil || len(beside) != 1 {
		t.Error(beside, err)
	}
}

// Without a daemon it is the same; half a restore keeps the daemon from starting.
func TestBackupAtRest(t *testing.T) {
	h := withFiles(t)
	d := h.serve()
	d.stop(syscall.SIGTERM)
	d.await("STOPPING=1")
	h.mustRun("backup", "b.tar.gz")
	h.write("state/restore.unfinished", "")
	if o := h.run("serve"); o.code != 75 || !strings.Contains(o.err, "tollgate restore") {
		t.Errorf("%+v", o)
	}
	h.mustRun("restore", "b.tar.gz", "--state-only")
	h.serve()
	text := h.read("b.tar.gz")
	h.write("cut.tar.gz", text[:len(text)/2])
	if o := h.run("restore", "cut.tar.gz", "--state-dir", h.path("elsewhere")); o.code != 1 {
		t.Errorf("%+v", o)
	}
}

// A backup that is not there leaves nothing behind.
func TestRestoreOfNothing(t *testing.T) {
	h := newHouse(t)
	if o := h.run("restore", "--state-dir", h.path("new"), h.path("none.tgz")); o.code != exitUsage {
		t.Errorf("%+v", o)
	}
	if _, err := os.Stat(h.path("new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
}
