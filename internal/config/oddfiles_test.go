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
