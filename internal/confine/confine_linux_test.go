package confine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The process that is confined is a second run of this one: what is given up never
// comes back.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CONFINED_IN"); dir != "" {
		confined(dir)
		return
	}
	os.Exit(m.Run())
}

// tries are what a confined process tries, and whether it can.
var tries = []struct {
	name string
	can  bool
	try  func(dir string) error
}{
	{"read what is named", true, func(dir string) error { return read(dir + "/read/file") }},
	{"read a file by itself", true, func(dir string) error { return read(dir + "/single") }},
	{"list a folder that is read", true, func(dir string) error { _, err := os.ReadDir(dir + "/read"); return err }},
	{"make a file", true, func(dir string) error { return create(dir + "/write/new") }},
	{"make a folder", true, func(dir string) error { return os.MkdirAll(dir+"/write/a/b", 0o700) }},
	{"rename between folders", true, func(dir string) error { return os.Rename(dir+"/write/one/x", dir+"/write/two/x") }},
	{"link between folders", true, func(dir string) error { return os.Link(dir+"/write/file", dir+"/write/two/linked") }},
	{"cut a file", true, func(dir string) error { return os.Truncate(dir+"/write/file", 1) }},
	{"remove a file", true, func(dir string) error { return os.Remove(dir + "/write/two/y") }},
	{"make a socket", true, func(dir string) error {
		l, err := net.Listen("unix", dir+"/write/s")
		if err == nil {
			err = l.Close()
		}
		return err
	}},

	{"open outside", false, func(dir string) error { return read(dir + "/outside/file") }},
	{"list outside", false, func(dir string) error { _, err := os.ReadDir(dir + "/outside"); return err }},
	{"create outside", false, func(dir string) error { return create(dir + "/outside/new") }},
	{"create where it reads", false, func(dir string) error { return create(dir + "/read/new") }},
	{"write what it reads", false, func(dir string) error {
		f, err := os.OpenFile(dir+"/read/file", os.O_WRONLY, 0)
		if err == nil {
			err = f.Close()
		}
		return err
	}},
	{"remove outside", false, func(dir string) error { return os.Remove(dir + "/outside/file") }},
	{"cut outside", false, func(dir string) error { return os.Truncate(dir+"/outside/file", 0) }},
	{"execute", false, func(string) error { return exec.Command("/bin/true").Run() }},
	{"execute what it wrote", false, func(dir string) error { return exec.Command(dir + "/write/true").Run() }},
	{"rename out", false, func(dir string) error { return os.Rename(dir+"/write/file", dir+"/outside/moved") }},
	{"rename in", false, func(dir string) error { return os.Rename(dir+"/outside/file", dir+"/write/moved") }},
	{"link out", false, func(dir string) error { return os.Link(dir+"/write/file", dir+"/outside/linked") }},
	{"link in", false, func(dir string) error { return os.Link(dir+"/outside/file", dir+"/write/linked") }},
	{"make a symbolic link", false, func(dir string) error { return os.Symlink(dir+"/outside/file", dir+"/write/link") }},
	{"follow one out", false, func(dir string) error { return read(dir + "/write/out") }},
	{"follow one out to a folder", false, func(dir string) error { return create(dir + "/write/outdir/new") }},
	{"climb out", false, func(dir string) error { return read(dir + "/write/../outside/file") }},
	{"open by /proc/self/root", false, func(dir string) error { return read("/proc/self/root" + dir + "/outside/file") }},
	{"open by /proc/self/cwd", false, func(dir string) error { return read("/proc/self/cwd/outside/file") }},
}

func read(path string) error {
	_, err := os.ReadFile(path)
	return err
}

func create(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// confined gives up all but some folders and tells what it can then. A thread that
// was there before tries the same.
func confined(dir string) {
	open, err := os.Open(dir + "/outside/file") // and kept over
	if err != nil {
		panic(err)
	}
	before, after, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		runtime.LockOSThread()
		before <- true
		<-after
		done <- read(dir + "/outside/file")
	}()
	<-before
	abi, err := Restrict(Bounds{Read: []string{dir + "/read", dir + "/single", dir + "/missing", "/proc"}, Write: []string{dir + "/write"}})
	if err != nil {
		panic(err)
	}
	fmt.Println("abi", abi)
	for _, t := range tries {
		tell(t.name, t.try(dir))
	}
	close(after)
	tell("open on another thread", <-done)
	again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", open.Fd()), os.O_RDWR, 0)
	tell("write by /proc/self/fd", errors.Join(err, again.Close()))
	again, err = os.Open(fmt.Sprintf("/proc/self/fd/%d", open.Fd()))
	tell("open anew by /proc/self/fd", errors.Join(err, again.Close()))
	_, err = open.Read(make([]byte, 1))
	tell("read what is open", err)
}

func tell(name string, err error) { fmt.Printf("%s: %t (%v)\n", name, err == nil, err) }

func TestRestrict(t *testing.T) {
	if ABI() < leastABI {
		if os.Getenv("CI") != "" {
			t.Fatal("this kernel has no Landlock, and CI needs one that has")
		}
		t.Skip("this kernel has no Landlock")
	}
	dir := t.TempDir()
	for _, folder := range []string{"read", "write/one", "write/two", "outside"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"read/file": "x", "single": "x", "outside/file": "x", "write/file": "xx", "write/one/x": "x", "write/two/y": "y", "write/true": string(program),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"write/out": "outside/file", "write/outdir": "outside"} {
		if err := os.Symlink(filepath.Join(dir, to), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Dir = append(os.Environ(), "CONFINED_IN="+dir), dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, what, _ := strings.Cut(strings.TrimSpace(line), ": ")
		said[name] = what
	}
	check := func(name string, can bool) {
		if !strings.HasPrefix(said[name], fmt.Sprint(can)) {
			t.Errorf("%s: %q, want %t", name, said[name], can)
		}
	}
	for _, one := range tries {
		check(one.name, one.can)
	}
	check("open on another thread", false)
	check("write by /proc/self/fd", false)
	check("open anew by /proc/self/fd", false)
	check("read what is open", true)
	if t.Failed() {
		t.Logf("%s", out)
	}
}
