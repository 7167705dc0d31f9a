package daemon

import (
	"os/user"
	"strings"
	"testing"
)

func TestAsRoot(t *testing.T) {
	t.Parallel()
	there := func(string) (*user.User, error) { return &user.User{Uid: "990"}, nil }
	none := func(name string) (*user.User, error) { return nil, user.UnknownUserError(name) }
	if s := asRoot(0, there); !strings.Contains(s, "user tollgate") {
		t.Errorf("root beside the user: %q", s)
	}
	if s := asRoot(990, there) + asRoot(0, none) + asRoot(1000, none); s != "" {
		t.Errorf("the user itself, or nobody to run as: %q", s)
	}
}
