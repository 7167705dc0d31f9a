package spool

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// The test binary runs itself as a daemon that is killed.
const killedDir = "TOLLGATE_TEST_SPOOL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		if err := appendForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// appendForever says the number of each message that was acknowledged.
func appendForever(dir string) error {
	s, err := Open(dir, Options{SegmentSize: 20_000})
	if err != nil {
		return err
	}
	errs := make(chan error)
	said := make(chan int)
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				n := w*1_000_000 + i
				if err := s.Append(context.Background(), message(n, 2)); err != nil {
					errs <- err
					return
				}
				said <- n
			}
		}()
	}
	for {
		select {
		case err := <-errs:
			return err
		case n := <-said:
			if _, err := fmt.Println(n); err != nil {
				return err
			}
		}
	}
}

// Killed with -9 again and again, nothing acknowledged is lost.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		cmd := exec.Command(exe, "-test.run=^$")
		cmd.Env = append(os.Environ(), killedDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var acknowledged []int
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatal(err)
			}
			acknowledged = append(acknowledged, n)
			if len(acknowledged) == 200+57*round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("it ended by itself")
		}
		if len(acknowledged) < 200 {
			t.Fatalf("%d acknowledged", len(acknowledged))
		}
		s, err := open(dir, Options{}, osFiles{}, quick())
		if err != nil {
			t.Fatal(err)
		}
		a := newAccount()
		drainAll(t, s, a)
		for _, n := range acknowledged {
			for _, r := range message(n, 2) {
				if a.seen[r.ID] != 1 {
					t.Fatalf("%s was acknowledged and came %d times", r.ID, a.seen[r.ID])
				}
			}
		}
		if st := s.Status(); st.SetAside != 0 || len(a.ids())%2 != 0 {
			t.Fatalf("%+v, %d records", st, len(a.ids()))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
