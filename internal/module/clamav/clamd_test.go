package clamav

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// scanners are two of the same clamd, one for each of its sockets.
func scanners(t testing.TB, d *harness.Clamd) map[string]*Scanner {
	t.Helper()
	all := map[string]*Scanner{}
	for network, addr := range map[string]string{"unix": "unix:" + d.Socket, "tcp": "tcp:" + d.Addr} {
		s, err := New(Settings{Addr: addr})
		if err != nil {
			t.Fatal(err)
		}
		all[network] = s
	}
	return all
}

// limit bounds what must not hang; it is far from what it takes.
func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestForms(t *testing.T) {
	t.Parallel()
	for network, s := range scanners(t, daemon) {
		for name, text := range infectedForms(t) {
			for ends, text := range map[string]string{"LF": text, "CRLF": strings.ReplaceAll(text, "\n", "\r\n")} {
				virus, err := s.scan(limit(t), message(text))
				if virus != harness.Virus || err != nil {
					t.Errorf("%s, %s, %s: %q, %v", network, name, ends, virus, err)
				}
			}
		}
		for _, text := range []string{"", "\r\n", "Subject: x\r\n\r\nhello\r\n", part("base64", wrapped([]byte("hello")))} {
			if virus, err := s.scan(limit(t), message(text)); virus != "" || err != nil {
				t.Errorf("%s: %q is %q, %v", network, text, virus, err)
			}
		}
	}
}

// Without the field before the message libclamav does not see some of the
// forms at all: that is what the field is for.
func TestFieldBeforeIsNeeded(t *testing.T) {
	t.Parallel()
	s := scanners(t, daemon)["unix"]
	var missed []string
	for name, text := range infectedForms(t) {
		line, err := s.stream(limit(t), message(text))
		if err != nil {
			t.Fatal(err)
		}
		if line == "stream: OK" {
			missed = append(missed, name)
		}
	}
	t.Logf("missed without: %q", missed)
	if len(missed) == 0 {
		t.Error("none is missed without it")
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	const (
		stream = 1 << 20
		file   = 1 << 19
	)
	d, err := box.Clamd(harness.ClamdConfig{StreamMaxLength: stream, MaxFileSize: file, MaxThreads: 2})
	if err != nil {
		t.Fatal(err)
	}
	for network, s := range scanners(t, d) {
		for _, size := range []int64{0, 1, stream - Overhead} {
			if err := s.Accepts(limit(t), size); err != nil {
				t.Errorf("%s: %d octets: %v", network, size, err)
			}
		}
		for _, size := range []int64{stream - Overhead + 1, stream, stream + 1<<10, 25 << 20} {
			if err := s.Accepts(limit(t), size); !errors.Is(err, ErrStreamLimit) {
				t.Errorf("%s: %d octets: %v", network, size, err)
			}
			virus, err := s.scan(limit(t), func(ctx context.Context) io.Reader { return io.LimitReader(endless(ctx), size) })
			if virus != "" || err == nil || !strings.Contains(err.Error(), "StreamMaxLength") {
				t.Errorf("%s: %d octets: %q, %v", network, size, virus, err)
			}
		}
		if err := s.Reaches(limit(t), file-Overhead); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		if err := s.Reaches(limit(t), file-Overhead+1); !errors.Is(err, ErrScanLimit) {
			t.Errorf("%s: %v", network, err)
		}
		if err := s.Reaches(limit(t), stream); !errors.Is(err, ErrStreamLimit) {
			t.Errorf("%s: %v", network, err)
		}
	}
}

// Where clamd reports what it does not look at, this is a finding of its own.
func TestLimitsAlerted(t *testing.T) {
	t.Parallel()
	d, err := box.Clamd(harness.ClamdConfig{MaxFileSize: 1 << 19, MaxThreads: 2, More: []string{"AlertExceedsMax yes"}})
	if err != nil {
		t.Fatal(err)
	}
	s := scanners(t, d)["unix"]
	if err := s.Accepts(limit(t), 1<<19-Overhead); err != nil {
		t.Error(err)
	}
	if err := s.Accepts(limit(t), 1<<20); !errors.Is(err, ErrScanLimit) {
		t.Error(err)
	}
	virus, err := s.scan(limit(t), func(context.Context) io.Reader { return infected(1 << 20) })
	if virus != "Heuristics.Limits.Exceeded.MaxFileSize" || err != nil {
		t.Errorf("%q, %v", virus, err)
	}
}

func TestReachesWithoutEICAR(t *testing.T) {
	t.Parallel()
	if err := serve(t, answering("stream: OK\n")).Reaches(t.Context(), 1<<20); !errors.Is(err, ErrNoEICAR) {
		t.Error(err)
	}
}

func TestAcceptsTellsAwayFromTooSmall(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{"garbage": "what?\n", "nothing": "", "a finding": "stream: Zeros FOUND\n"} {
		if err := serve(t, answering(script)).Accepts(t.Context(), 1<<20); err == nil || errors.Is(err, ErrStreamLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFrozenStoppedRestarted(t *testing.T) {
	t.Parallel()
	d, err := box.Clamd(harness.ClamdConfig{MaxThreads: 2})
	if err != nil {
		t.Fatal(err)
	}
	both := scanners(t, d)
	works := func(when string) {
		t.Helper()
		for network, s := range both {
			if virus, err := s.scan(limit(t), message(infectedForms(t)["zip"])); virus != harness.Virus || err != nil {
				t.Errorf("%s, %s: %q, %v", when, network, virus, err)
			}
			if virus, err := s.scan(limit(t), message("Subject: x\r\n\r\nhello\r\n")); virus != "" || err != nil {
				t.Errorf("%s, %s: %q, %v", when, network, virus, err)
			}
			if err := s.Ping(limit(t)); err != nil {
				t.Errorf("%s, %s: %v", when, network, err)
			}
			if version, err := s.Version(limit(t)); err != nil || !strings.HasPrefix(version, "ClamAV ") {
				t.Errorf("%s, %s: %q, %v", when, network, version, err)
			}
		}
	}
	fails := func(when string, limit time.Duration) {
		t.Helper()
		short := func() context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			t.Cleanup(cancel)
			return ctx
		}
		for network, s := range both {
			for size, open := range map[string]func(context.Context) io.Reader{"short": message("Subject: x\r\n\r\n"), "endless": endless} {
				if virus, err := s.scan(short(), open); err == nil {
					t.Errorf("%s, %s, %s: clean, %q", when, network, size, virus)
				}
			}
			if err := s.Ping(short()); err == nil {
				t.Errorf("%s, %s: PONG", when, network)
			}
			if err := s.Accepts(short(), 1); err == nil || errors.Is(err, ErrStreamLimit) {
				t.Errorf("%s, %s: %v", when, network, err)
			}
		}
	}
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	works("started")
	step(d.Freeze())
	fails("frozen", 100*time.Millisecond)
	step(d.Thaw())
	works("thawed")
	step(d.Kill())
	fails("killed", 30*time.Second)
	step(d.Start())
	works("restarted")
	step(d.Stop())
	fails("stopped", 30*time.Second)
}
