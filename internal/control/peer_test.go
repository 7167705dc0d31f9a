package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/control"
)

// nobody is a user who is neither root nor the daemon.
const nobody = 65534

// stateOfTest names the state folder to the test that runs as another user.
const stateOfTest = "TOLLGATE_TEST_STATE"

// Who may open the socket may look; what changes something is for root and the
// daemon's user, whoever the one who asks says to be.
func TestPrivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("only root can become another user")
		}
		t.Skip("only root can become another user")
	}
	dir, err := os.MkdirTemp("", "tgctl")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	done := func(context.Context, json.RawMessage) (any, error) { return asked{"done"}, nil }
	s := serve(t, dir, map[string]control.Handler{"look": done, "change": control.Privileged(done)})
	defer closed(t, s)
	// As the group's members may.
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(control.SocketPath(dir), 0o666)); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"look", "change"} {
		if err := control.NewClient(dir).Call(t.Context(), command, nil, nil); err != nil {
			t.Errorf("root, %s: %v", command, err)
		}
	}
	// The folder of the test's own binary is closed to others.
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		name, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		if self, err = os.Open(name); err != nil {
			t.Fatal(err)
		}
	}
	defer self.Close()
	binary := filepath.Join(dir, "as.test")
	to, err := os.OpenFile(binary, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, self); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(to.Chmod(0o755), to.Close()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-test.run", "^TestAsAnother$", "-test.v")
	cmd.Dir = dir
	cmd.Env = []string{stateOfTest + "=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS: TestAsAnother") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestAsAnother is run by TestPrivileged.
func TestAsAnother(t *testing.T) {
	dir := os.Getenv(stateOfTest)
	if dir == "" {
		t.Skip("TestPrivileged runs it")
	}
	if err := control.NewClient(dir).Call(t.Context(), "look", nil, nil); err != nil {
		t.Errorf("look: %v", err)
	}
	var refusal *control.Refusal
	if err := control.NewClient(dir).Call(t.Context(), "change", nil, nil); !errors.As(err, &refusal) || refusal.Code != control.CodeDenied || !strings.Contains(refusal.Message, "root") {
		t.Errorf("change: %v", err)
	}
}

// What the daemon asks itself is its own user's; what nobody vouches for is nobody's.
func TestBySelf(t *testing.T) {
	t.Parallel()
	if control.BySelf(t.Context()) {
		t.Error("who is not known is taken for the daemon's user")
	}
	if !control.BySelf(control.AsSelf(t.Context())) {
		t.Error("it does not know itself")
	}
}
