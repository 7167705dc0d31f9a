package postfix_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/postfix"
)

const base = "compatibility_level = 3.6\nqueue_directory = %QUEUE%\nmail_owner = postfix\n"

// instance is a configuration of Postfix that nobody runs, and the folder that
// is its queue.
func instance(t *testing.T, main, master string) (postfix.Instance, string) {
	t.Helper()
	if _, err := exec.LookPath("postconf"); err != nil {
		t.Fatal("Postfix is not installed: test/deps.sh installs it")
	}
	dir := t.TempDir()
	queue := filepath.Join(dir, "queue")
	if err := os.MkdirAll(filepath.Join(queue, "tollgate"), 0o755); err != nil {
		t.Fatal(err)
	}
	if master == "" {
		master = "smtp inet n - y - - smtpd\ncleanup unix n - y - 0 cleanup\n"
	}
	for name, text := range map[string]string{"main.cf": strings.ReplaceAll(base, "%QUEUE%", queue) + main, "master.cf": master} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	in := postfix.Instance{Config: dir}
	if err := cool(in); err != nil {
		t.Fatal(err)
	}
	return in, queue
}

// apply applies changes. Postfix's commands wait until a file that they read is
// some seconds old; a test need not.
func apply(ctx context.Context, in postfix.Instance, changes []postfix.Change) error {
	return errors.Join(in.Apply(ctx, changes), cool(in))
}

func cool(in postfix.Instance) (err error) {
	old := time.Now().Add(-time.Minute)
	for _, name := range []string{"main.cf", "master.cf"} {
		err = errors.Join(err, os.Chtimes(filepath.Join(in.Config, name), old, old))
	}
	return err
}

func (in config) files(t *testing.T) string {
	t.Helper()
	var all string
	for _, name := range []string{"main.cf", "master.cf"} {
		b, err := os.ReadFile(filepath.Join(in.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all += string(b)
	}
	return all
}

type config struct{ dir string }

func TestAttachAndDetach(t *testing.T) {
	const wanted = "{ unix:tollgate/milter.sock, connect_timeout=10s, command_timeout=30s, content_timeout=300s, default_action=tempfail }"
	for _, tt := range []struct {
		name, main, master string
		smtpd, local       string // afterwards
		override           string // of submission, afterwards
		notes              int
		unchanged          bool // detaching gives back every octet that means something
	}{
		{name: "nothing", smtpd: "$tollgate_milter", local: "$tollgate_milter", unchanged: true},
		{name: "another", main: "smtpd_milters = inet:127.0.0.1:8891\n", smtpd: "inet:127.0.0.1:8891, $tollgate_milter", local: "$tollgate_milter", unchanged: true},
		{
			name: "braces and the same for both", main: "smtpd_milters = { inet:127.0.0.1:8891, default_action=accept } unix:x\nnon_smtpd_milters = $smtpd_milters\n",
			smtpd: "{ inet:127.0.0.1:8891, default_action=accept } unix:x, $tollgate_milter", local: "$smtpd_milters", unchanged: true,
		},
		{
			name: "by way of smtpd_milters, not last", main: "smtpd_milters = unix:x\nnon_smtpd_milters = $smtpd_milters, unix:y\n",
			smtpd: "unix:x, $tollgate_milter", local: "unix:y, $smtpd_milters", unchanged: true,
		},
		{
			name: "by hand", main: "tollgate_milter = " + wanted + "\nsmtpd_milters = $tollgate_milter\nnon_smtpd_milters = ${tollgate_milter}\n",
			smtpd: "$tollgate_milter", local: "${tollgate_milter}",
		},
		{
			name: "by hand, spelt out, not last", main: "smtpd_milters = unix:/tollgate/milter.sock, unix:z\n",
			smtpd: "unix:z, $tollgate_milter", local: "$tollgate_milter",
		},
		{
			name: "master.cf", master: "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n  -o smtpd_milters=inet:127.0.0.1:8891\n10026 inet n - n - - smtpd\n  -o smtpd_milters=\n",
			smtpd: "$tollgate_milter", local: "$tollgate_milter", override: "inet:127.0.0.1:8891,$tollgate_milter", notes: 1, unchanged: true,
		},
		{
			name: "smuggling allowed", main: "smtpd_forbid_bare_newline = no\n", master: "smtp inet n - y - - smtpd\n  -o smtpd_forbid_unauth_pipelining=no\n",
			smtpd: "$tollgate_milter", local: "$tollgate_milter", notes: 2, unchanged: true,
		},
		{name: "smuggling forbidden", main: "smtpd_forbid_bare_newline = yes\n", smtpd: "$tollgate_milter", local: "$tollgate_milter", unchanged: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, queue := instance(t, tt.main, tt.master)
			ctx := t.Context()
			files := func() string { return config{in.Config}.files(t) }
			get := func(name string) string {
				v, _, err := in.Get(ctx, name)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			former := files()
			reach, err := in.Reach(ctx, []string{"unix:" + queue + "/tollgate/milter.sock"})
			if err != nil || reach.Address != "unix:tollgate/milter.sock" {
				t.Fatalf("%+v, %v", reach, err)
			}
			plan, err := in.Attach(ctx, reach)
			if err != nil {
				t.Fatal(err)
			}
			if files() != former {
				t.Error("planning has changed something")
			}
			if len(plan.Notes) != tt.notes {
				t.Errorf("notes: %q", plan.Notes)
			}
			for range 2 { // the second time there is nothing to do
				if err := errors.Join(in.Remember(plan.Changes), apply(ctx, in, plan.Changes)); err != nil {
					t.Fatal(err)
				}
				for _, name := range []string{"smtpd_forbid_bare_newline", "smtpd_forbid_unauth_pipelining"} {
					if v := get(name); v == "no" && !strings.Contains(tt.main, name) {
						t.Errorf("%s = %s", name, v)
					}
				}
				if got := [3]string{get("tollgate_milter"), get("smtpd_milters"), get("non_smtpd_milters")}; got != [3]string{wanted, tt.smtpd, tt.local} {
					t.Errorf("got %q", got)
				}
				if plan, err = in.Attach(ctx, reach); err != nil || len(plan.Changes) > 0 {
					t.Fatalf("attached, and still to change: %v, %v", plan.Changes, err)
				}
			}
			if tt.override != "" {
				o, err := in.Overrides(ctx, "smtpd_milters")
				if err != nil || !slices.Contains(o, postfix.Override{Service: "submission/inet", Value: tt.override}) {
					t.Errorf("overrides %q, %v", o, err)
				}
			}

			plan, err = in.Detach(ctx, reach)
			if err == nil {
				err = errors.Join(apply(ctx, in, plan.Changes), in.Forget())
			}
			if err != nil {
				t.Fatal(err)
			}
			if text := files(); strings.Contains(text, "tollgate_milter") || strings.Contains(text, "tollgate/milter.sock") {
				t.Errorf("left behind: %s", text)
			}
			if tt.unchanged && files() != former {
				// postconf writes "name = value" and folds: compare what it means.
				if squeeze(files()) != squeeze(former) {
					t.Errorf("was\n%s\nis\n%s", former, files())
				}
			}
			if plan, err = in.Detach(ctx, reach); err != nil || len(plan.Changes) > 0 {
				t.Errorf("detached, and still to change: %v, %v", plan.Changes, err)
			}
		})
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// What somebody has changed since stays, less tollgate.
func TestDetachAfterOthers(t *testing.T) {
	in, queue := instance(t, "smtpd_milters = unix:x\n", "")
	ctx := t.Context()
	reach, err := in.Reach(ctx, []string{"unix:" + queue + "/tollgate/milter.sock"})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := in.Attach(ctx, reach)
	if err := errors.Join(err, in.Remember(plan.Changes), apply(ctx, in, plan.Changes)); err != nil {
		t.Fatal(err)
	}
	if err := apply(ctx, in, []postfix.Change{{Name: "smtpd_milters", After: "unix:new, unix:x, $tollgate_milter"}}); err != nil {
		t.Fatal(err)
	}
	plan, err = in.Detach(ctx, reach)
	if err := errors.Join(err, apply(ctx, in, plan.Changes)); err != nil {
		t.Fatal(err)
	}
	if v, _, err := in.Get(ctx, "smtpd_milters"); err != nil || v != "unix:new, unix:x" {
		t.Errorf("%q, %v", v, err)
	}
	if _, set, err := in.Get(ctx, "non_smtpd_milters"); err != nil || set {
		t.Errorf("set: %v, %v", set, err)
	}
}

func TestReach(t *testing.T) {
	const free = "smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n"
	const cleanupAlone = "smtp inet n - n - - smtpd\ncleanup unix n - y - 0 cleanup\n"
	for _, tt := range []struct {
		name, master string
		listen       []string
		want, fault  string
	}{
		{"outside, no chroot", free, []string{"unix:/run/tollgate/milter.sock"}, "unix:/run/tollgate/milter.sock", ""},
		{"outside, chroot", "", []string{"unix:/run/tollgate/milter.sock"}, "", "chroot"},
		{"outside, only cleanup in a chroot", cleanupAlone, []string{"unix:/run/tollgate/milter.sock"}, "", "cleanup/unix"},
		{"TCP beside it", "", []string{"unix:/run/tollgate/milter.sock", "inet:127.0.0.1:8894"}, "inet:127.0.0.1:8894", ""},
		{"inside goes first", "", []string{"inet:127.0.0.1:8894", "unix:%QUEUE%/tollgate/milter.sock"}, "unix:tollgate/milter.sock", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, queue := instance(t, "", tt.master)
			for n := range tt.listen {
				tt.listen[n] = strings.ReplaceAll(tt.listen[n], "%QUEUE%", queue)
			}
			got, err := in.Reach(t.Context(), tt.listen)
			if got.Address != tt.want || (err != nil) != (tt.fault != "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%q, %v", got.Address, err)
			}
		})
	}
}

// The kernel is asked as Postfix's user with its first group alone.
func TestSocketOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root can become another user")
		}
		t.Skip("only root can become another user")
	}
	in, queue := instance(t, "", "")
	ctx := t.Context()
	folder := filepath.Join(queue, "tollgate")
	path := filepath.Join(folder, "milter.sock")
	reach, err := in.Reach(ctx, []string{"unix:" + path})
	if err != nil {
		t.Fatal(err)
	}
	if err := reach.Check(ctx, in); !errors.Is(err, postfix.ErrNoSocket) {
		t.Errorf("no socket: %v", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// The way to the test's own folder is closed to others.
	for dir := queue; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		folder, socket os.FileMode
		want           string
	}{
		{0o755, 0o666, ""},
		{0o700, 0o666, folder + " (chgrp"},
		{0o755, 0o600, path + " (chgrp"},
	} {
		if err := errors.Join(os.Chmod(folder, tt.folder), os.Chmod(path, tt.socket)); err != nil {
			t.Fatal(err)
		}
		err := reach.Check(ctx, in)
		if (err != nil) != (tt.want != "") || err != nil && (!errors.Is(err, postfix.ErrUnreachable) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%v %v: %v", tt.folder, tt.socket, err)
		}
	}
}
