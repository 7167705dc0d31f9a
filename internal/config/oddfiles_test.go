package config

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// named are the ways in which a policy names a file that is read with it: text for
// each, the main file included.
func named() map[string]string {
	const gateway = "[gateway]\nname = \"gw\"\nstate_dir = \"state\"\n"
	return map[string]string{
		"include":       "include = [\"FILE\"]\n" + gateway,
		"a pattern":     "include = [\"FIL*\"]\n" + gateway,
		"a list":        gateway + "[lists]\nl = { file = \"FILE\" }\n[[rule]]\nname = \"r\"\nstage = \"mailfrom\"\nmatch.sender = \"list:l\"\nweight = 1\n",
		"words":         gateway + "[lists]\nl = { file = \"FILE\", type = \"word\" }\n[[rule]]\nname = \"r\"\nstage = \"headers\"\nmatch.subject = \"list:l\"\nweight = 1\n",
		"expressions":   gateway + "[lists]\nl = { file = \"FILE\", type = \"regex\" }\n[[rule]]\nname = \"r\"\nstage = \"headers\"\nmatch.subject = \"list:l\"\nweight = 1\n",
		"clients":       gateway + "[clients]\nfile = \"FILE\"\n",
		"domains":       gateway + "[recipients]\nmode = \"domains\"\ndomains = [\"a.example\"]\ndomains_file = \"FILE\"\n",
		"a password":    gateway + "[redis]\naddrs = [\"127.0.0.1:1\"]\npassword_file = \"FILE\"\n",
		"certificates":  gateway + "[redis]\naddrs = [\"127.0.0.1:1\"]\ntls = true\nca_file = \"FILE\"\n",
		"a certificate": gateway + "[redis]\naddrs = [\"127.0.0.1:1\"]\ntls = true\ncert_file = \"FILE\"\nkey_file = \"FILE\"\n",
		"the policy":    "",
	}
}

// A file that has become something else is an error that says so, wherever it is
// named, and nobody waits for it.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	makes := map[string]func(path string) error{
		"a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"a socket": func(path string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err == nil {
				l.SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		},
		"a loop":  func(path string) error { return os.Symlink(filepath.Base(path), path) },
		"nothing": func(path string) error { return os.Symlink("nothing", path) },
		"a link to a pipe": func(path string) error {
			return joined(syscall.Mkfifo(path+".pipe", 0o600), os.Symlink(path+".pipe", path))
		},
		"an endless device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"an empty device":   func(path string) error { return os.Symlink("/dev/null", path) },
	}
	for what, mk := range makes {
		for where, text := range named() {
			t.Run(where+" is "+what, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				path := filepath.Join(dir, "FILE")
				if err := mk(path); err != nil {
					t.Fatal(err)
				}
				main := path
				if text != "" {
					main = filepath.Join(dir, "policy.toml")
					write(t, main, text)
				}
				done := make(chan string, 1)
				go func() {
					_, problems := Load(main)
					err := problems.Err()
					done <- fmt.Sprint(err)
				}()
				select {
				case problem := <-done:
					if problem == fmt.Sprint(nil) || !strings.Contains(problem, "FILE") {
						t.Errorf("%s", problem)
					}
				case <-time.After(time.Minute):
					t.Fatal("it is waited for")
				}
			})
		}
	}
}

func joined(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A file that is written in place is taken whole or not at all, wherever it is named.
func TestWrittenInPlace(t *testing.T) {
	t.Parallel()
	halves := map[string][2]string{
		"a list":  {"a.example\nb.example\n", "c.example\nd.example\n"},
		"words":   {"one\ntwo\n", "three\nfour\n"},
		"domains": {"b.example\nc.example\n", "d.example\ne.example\n"},
		"include": {"[[rule]]\nname = \"one\"\nstage = \"headers\"\nmatch.subject = \"x\"\nweight = 1\n", "[[rule]]\nname = \"two\"\nstage = \"headers\"\nmatch.subject = \"x\"\nweight = 1\n"},
		"clients": {"[[client]]\nid = \"a\"\naddresses = [\"a@a.example\"]\n", "[[client]]\nid = \"b\"\naddresses = [\"b@a.example\"]\n"},
	}
	for where, half := range halves {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, main := filepath.Join(dir, "FILE"), filepath.Join(dir, "policy.toml")
			write(t, main, named()[where])
			write(t, path, half[0]+half[1])
			whole, problems := Load(main)
			if whole == nil {
				t.Fatal(problems)
			}
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					default:
					}
					f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
					if err != nil {
						t.Error(err)
						return
					}
					for _, text := range half {
						if _, err := f.WriteString(text); err != nil {
							t.Error(err)
						}
						time.Sleep(3 * time.Millisecond) // as a slow writer
					}
					if err := f.Close(); err != nil {
						t.Error(err)
					}
				}
			}()
			for range 2 {
				switch cfg, problems := Load(main); {
				case cfg == nil && !strings.Contains(problems.Err().Error(), "being written"):
					t.Error(problems)
				case cfg != nil && cfg.Hash != whole.Hash:
					t.Error("a part is taken for the whole")
				}
			}
			close(stop)
			<-stopped
		})
	}
}
