package module_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// text is n octets that tell where they stand.
func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8) ^ byte(i>>16)
	}
	return b
}

func write(t testing.TB, s *module.Stash, p []byte) {
	t.Helper()
	if n, err := s.Write(p); n != len(p) || err != nil {
		t.Errorf("Write: %d, %v", n, err)
	}
}

func closed(t testing.TB, s *module.Stash) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// Readers get what is written, however it is cut, in memory and in a file.
func TestStash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, size := range []int{0, 1, 100, 16<<10 - 1, 16 << 10, 16<<10 + 1, 50_000, 50_001, 100_000, 300_000} {
		for _, step := range []int{1000, 16 << 10, 65_535} {
			stasher := &module.Stasher{Dir: dir, Memory: 50_000}
			s := stasher.New()
			want := text(size)
			var readers sync.WaitGroup
			for range 3 {
				readers.Go(func() {
					got, err := io.ReadAll(s.Open(t.Context()))
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%d in steps of %d: read %d, %v", size, step, len(got), err)
					}
					if n, err := s.Size(t.Context()); n != int64(size) || err != nil {
						t.Errorf("size of %d: %d, %v", size, n, err)
					}
				})
			}
			for rest := want; len(rest) > 0; {
				n := min(step, len(rest))
				p := bytes.Clone(rest[:n])
				write(t, s, p)
				clear(p) // it is not kept
				rest = rest[n:]
			}
			if n := s.Written(); n != int64(size) {
				t.Errorf("written %d of %d", n, size)
			}
			s.End()
			readers.Wait()
			closed(t, s)
			closed(t, s)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

// A reader waits for the writer, and no longer than its context.
func TestStashWaits(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			s := (&module.Stasher{Memory: memory}).New()
			defer closed(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			write(t, s, []byte("abc"))
			var first, second []byte
			var err error
			go func() { first, err = io.ReadAll(s.Open(ctx)) }()
			go func() { second, _ = io.ReadAll(s.Open(t.Context())) }()
			sized := make(chan error, 1)
			go func() {
				_, err := s.Size(ctx)
				sized <- err
			}()
			synctest.Wait()
			write(t, s, []byte("def"))
			synctest.Wait()
			cancel()
			synctest.Wait()
			if !errors.Is(err, context.Canceled) || string(first) != "abcdef" {
				t.Errorf("canceled: %q, %v", first, err)
			}
			if err := <-sized; !errors.Is(err, context.Canceled) {
				t.Errorf("size: %v", err)
			}
			write(t, s, []byte("ghi"))
			s.End()
			synctest.Wait()
			if string(second) != "abcdefghi" {
				t.Errorf("read %q", second)
			}
			if n, err := s.Open(ctx).Read(make([]byte, 9)); n != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("opened late: %d, %v", n, err)
			}
			if n, err := s.Size(ctx); n != 9 || err != nil {
				t.Errorf("size that is known: %d, %v", n, err)
			}
		})
	}
}

// A message that is given up never ends.
func TestStashAborted(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			s := (&module.Stasher{Memory: memory}).New()
			write(t, s, []byte("abc"))
			var got []byte
			var err error
			go func() { got, err = io.ReadAll(s.Open(t.Context())) }()
			synctest.Wait()
			closed(t, s)
			s.End()
			synctest.Wait()
			if string(got) != "abc" || !errors.Is(err, module.ErrAborted) {
				t.Errorf("read %q, %v", got, err)
			}
			if _, err := s.Size(t.Context()); !errors.Is(err, module.ErrAborted) {
				t.Errorf("size: %v", err)
			}
			if _, err := s.Write([]byte("def")); !errors.Is(err, module.ErrAborted) {
				t.Errorf("write: %v", err)
			}
		})
	}
}

// Without room for its file a message is nobody's, not shorter.
func TestStashWithoutRoom(t *testing.T) {
	t.Parallel()
	s := (&module.Stasher{Dir: "no/such/folder", Memory: 10}).New()
	write(t, s, []byte("abc"))
	if _, err := s.Write([]byte(strings.Repeat("x", 20))); err == nil {
		t.Error("written nowhere")
	}
	s.End()
	if got, err := io.ReadAll(s.Open(t.Context())); err == nil || errors.Is(err, module.ErrAborted) {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := s.Write([]byte("y")); err == nil {
		t.Error("an error is for ever")
	}
	closed(t, s)
}

func TestStashEnded(t *testing.T) {
	t.Parallel()
	s := (&module.Stasher{}).New()
	defer closed(t, s)
	s.End()
	if _, err := s.Write([]byte("x")); err == nil {
		t.Error("written after the end")
	}
	if got, err := io.ReadAll(s.Open(t.Context())); len(got) != 0 || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

// A view fails as soon as the message is too large, wherever its readers are.
// Who reads a message that is complete makes room for it, and not for the longest.
func TestStashLen(t *testing.T) {
	s := (&module.Stasher{}).New()
	defer closed(t, s)
	r := s.Open(t.Context())
	left := func() int { return r.(interface{ Len() int }).Len() }
	if _, err := s.Write([]byte("Subject: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if n := left(); n < 1<<20 {
		t.Errorf("%d while it arrives", n)
	}
	s.End()
	if _, err := io.ReadFull(r, make([]byte, 4)); err != nil || left() != 10 {
		t.Errorf("%d, %v", left(), err)
	}
}

func TestStashLimit(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{0, 1} {
		s := (&module.Stasher{Memory: memory}).New()
		v := s.Limit(5)
		r := v.Open(t.Context())
		write(t, s, []byte("abcde"))
		p := make([]byte, 3)
		if n, err := io.ReadFull(r, p); n != 3 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		write(t, s, []byte("f"))
		if n, err := r.Read(p); n != 0 || !errors.Is(err, module.ErrOversize) {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := v.Size(t.Context()); !errors.Is(err, module.ErrOversize) {
			t.Errorf("size: %v", err)
		}
		if _, err := v.Limit(100).Size(t.Context()); !errors.Is(err, module.ErrOversize) {
			t.Errorf("size of a view of a view: %v", err)
		}
		s.End()
		if got, err := io.ReadAll(s.Limit(6).Open(t.Context())); string(got) != "abcdef" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if _, err := v.Write(p); err == nil {
			t.Error("wrote to a view")
		}
		if err := v.Close(); err == nil {
			t.Error("closed a view")
		}
		closed(t, s)
	}
}

// Close comes at any moment, and nobody reads what is another message's by
// then.
func TestStashCloseBesideReaders(t *testing.T) {
	t.Parallel()
	stasher := &module.Stasher{Dir: t.TempDir(), Memory: 40_000}
	for round := range 60 {
		s := stasher.New()
		mark := byte(round)
		var all sync.WaitGroup
		all.Go(func() {
			for range 20 {
				if _, err := s.Write(bytes.Repeat([]byte{mark}, 4000)); err != nil {
					if !errors.Is(err, module.ErrAborted) {
						t.Error(err)
					}
					return
				}
			}
		})
		halfway := make(chan struct{})
		for n := range 3 {
			all.Go(func() {
				r := s.Open(t.Context())
				p := make([]byte, 1000)
				for reads := 0; ; reads++ {
					if n == 0 && reads == round {
						close(halfway)
					}
					n, err := r.Read(p)
					for _, c := range p[:n] {
						if c != mark {
							t.Errorf("round %d reads %d", round, c)
							return
						}
					}
					if err != nil {
						if !errors.Is(err, module.ErrAborted) {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		all.Go(func() {
			<-halfway
			closed(t, s)
		})
		all.Wait()
	}
}
