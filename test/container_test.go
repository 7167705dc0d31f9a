package test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// What is in the image starts as its user on a root that cannot be written, is
// healthy, answers milters, and ends by its stop signal.
func TestContainer(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root can make a container")
		}
		t.Skip("only root can make a container")
	}
	root, box := moduleRoot(t), sandbox(t)
	dir := box.Path("image")
	run(t, root, "sh", "contrib/container/rootfs.sh", binary, dir)
	port, err := box.Port()
	if err != nil {
		t.Fatal(err)
	}
	policy, err := os.ReadFile(filepath.Join(root, "contrib/container/policy.toml"))
	if err != nil {
		t.Fatal(err)
	}
	// The services of compose.yaml are elsewhere; they may come later.
	text := strings.ReplaceAll(string(policy), "0.0.0.0:8894", harness.Loopback(port))
	for name, addr := range map[string]string{"clamd:3310": "127.0.0.1:1", "rspamd:11333": "127.0.0.1:1", "redis:6379": "127.0.0.1:1"} {
		if !strings.Contains(text, name) {
			t.Errorf("the policy asks no %s", name)
		}
		text = strings.ReplaceAll(text, name, addr)
	}
	if err := os.WriteFile(filepath.Join(dir, "etc/tollgate/policy.toml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	// The volumes stay writable below a root that is not.
	script := `set -e
mount --bind "$1" "$1"
for volume in var/lib/tollgate var/log/tollgate tmp; do mount --bind "$1/$volume" "$1/$volume"; done
mount -o remount,bind,ro "$1"
if touch "$1/etc/written" 2>/dev/null; then echo "the root can be written" >&2; exit 3; fi
exec chroot --userspec=10001:10001 "$1" /usr/local/sbin/tollgate serve`
	log, err := os.Create(box.Path("container.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := exec.Command("unshare", "--mount", "sh", "-c", script, "sh", dir)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	healthy := func() error {
		out, err := exec.Command("chroot", "--userspec=10001:10001", dir, "/usr/local/sbin/tollgate", "status").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	for begun := time.Now(); ; {
		err := healthy()
		if err == nil {
			break
		}
		select {
		case end := <-ended:
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("it has ended: %v\n%s", end, said)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(begun) > harness.Patience {
			t.Fatal(err)
		}
	}
	conn, err := net.Dial("tcp", harness.Loopback(port))
	if err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	if err := errors.Join(c.Process.Signal(os.Interrupt), <-ended); err != nil {
		said, _ := os.ReadFile(log.Name())
		t.Errorf("%v\n%s", err, said)
	}
}

// compose.yaml names what is there, has tollgate on a root that cannot be written,
// and shows nothing but Postfix.
func TestCompose(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(moduleRoot(t), "contrib/container")
	b, err := os.ReadFile(filepath.Join(folder, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Build    any      `yaml:"build"`
			Image    string   `yaml:"image"`
			Ports    []string `yaml:"ports"`
			ReadOnly bool     `yaml:"read_only"`
			CapDrop  []string `yaml:"cap_drop"`
			Volumes  []string `yaml:"volumes"`
			Networks []string `yaml:"networks"`
		} `yaml:"services"`
		Networks map[string]any `yaml:"networks"`
		Volumes  map[string]any `yaml:"volumes"`
	}
	if err := yaml.Unmarshal(b, &compose); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postfix", "tollgate", "redis", "clamd", "rspamd"} {
		s, ok := compose.Services[name]
		if !ok || (s.Build == nil) == (s.Image == "") {
			t.Errorf("%s: %+v", name, s)
		}
		if (name == "postfix") != (len(s.Ports) > 0) {
			t.Errorf("%s shows %q", name, s.Ports)
		}
		for _, n := range s.Networks {
			if _, ok := compose.Networks[n]; !ok {
				t.Errorf("%s: there is no network %s", name, n)
			}
		}
		for _, v := range s.Volumes {
			what, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(what, "./") {
				if _, err := os.Stat(filepath.Join(folder, what)); err != nil {
					t.Error(err)
				}
			} else if _, ok := compose.Volumes[what]; !ok {
				t.Errorf("%s: there is no volume %s", name, what)
			}
		}
	}
	if s := compose.Services["tollgate"]; !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
		t.Errorf("%+v", s)
	}
	run(t, folder, "sh", "-n", "postfix/start.sh")
	run(t, folder, "sh", "-n", "rootfs.sh")
}
