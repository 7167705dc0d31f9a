package holdqueue

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// command puts a script in the place of a command of Postfix.
func command(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestFailures(t *testing.T) {
	const good = `{"queue_name": "hold", "queue_id": "4XGoodId", "arrival_time": 1, "sender": "", "recipients": []}`
	for _, tt := range []struct{ name, script, want string }{
		{"fatal", `echo "postqueue: warning: main.cf, line 3: twice" >&2; echo "postqueue: fatal: no rights" >&2; exit 1`, "reached: postqueue: fatal: no rights"},
		{"silent", "exit 69", "postqueue: exit status 69"},
		{"after output", "echo '" + good + "'; exit 1", "exit status 1"},
		{"killed", "kill -9 $$", "signal: killed"},
		{"no JSON", `echo 'Mail queue is "hold" and empty'`, `postqueue printed "Mail queue is`},
		{"cut", `echo '{"queue_name": "hold", "queue_i'`, "unexpected end"},
		{"queue id", `echo '{"queue_name": "hold", "queue_id": "../x"}'`, `queue id "../x"`},
		{"noise", `head -c 100000 /dev/zero >&2; exit 1`, "\x00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			command(t, "postqueue", tt.script)
			err := New("/config").List(limit(t), func(Message) error { return nil })
			if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 6000 {
				t.Errorf("%.500v", err)
			}
		})
	}
}

// A command that hangs is not waited for.
func TestHanging(t *testing.T) {
	command(t, "postqueue", `echo '{"queue_name": "hold", "queue_id": "4XGoodId"}'; exec sleep 60`)
	ctx, cancel := context.WithCancel(limit(t))
	defer cancel()
	err := New("/config").List(ctx, func(Message) error {
		cancel()
		return nil
	})
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// What was done is known when postsuper fails later, and with which arguments
// it was called.
func TestHalfDone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "args")
	command(t, "postsuper", `echo "$@" > `+file+`; cat >> `+file+`
echo "postsuper: 4XFirst: released from hold" >&2
echo "postsuper: 4XSecond: removed" >&2
echo "postsuper: fatal: disk on fire" >&2; exit 1`)
	done, err := New("/config").Release(limit(t), "4XFirst", "4XSecond")
	if !slices.Equal(done, []string{"4XFirst"}) || err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("%v, %v", done, err)
	}
	const want = "-c /config -H - hold\n4XFirst\n4XSecond\n"
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"queue_name": "hold", "queue_id": "8CD419C893B", "arrival_time": 1795493342, "message_size": 5260, ` +
		`"forced_expire": false, "sender": "MAILER-DAEMON", "recipients": [{"address": "ivan@example.org", "delay_reason": "x"}]}` + "\n"))
	f.Add([]byte("{\"queue_name\": \"active\"}\n\n{\"queue_name\": \"hold\"}\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		n := 0
		err := decode(bytes.NewReader(in), func(m Message) error {
			n++
			if !validID(m.QueueID) {
				t.Errorf("%q", m.QueueID)
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrUnavailable) {
			t.Error(err)
		}
		if n > bytes.Count(in, onHold) {
			t.Errorf("%d messages", n)
		}
	})
}
