package types

import (
	"testing"

	"github.com/tollgate-mail/tollgate/internal/settings"
)

// Whoever reads a policy can fill the settings of every type, and whoever makes
// inspectors makes one of what passes its Check.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, kind := range append(Modules(), Antivirus()) {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			if found, ok := Find(kind.Name); !ok || found.Local != kind.Local {
				t.Errorf("%+v", found)
			}
			into, now := kind.Settings()
			required := false
			for _, k := range settings.Keys(into) {
				required = required || k.Required
				_, folder := k.Into.(*settings.StateDir)
				if folder != (k.Name == "") {
					t.Errorf("%T: a field has a key unless it is the folder: %+v", kind.Defaults, k)
				}
				for _, url := range []string{"http://127.0.0.1:1", "tcp:127.0.0.1:1"} {
					if text, ok := k.Into.(*string); ok && k.Required && (*text == "" || now().Check() != nil) {
						*text = url
					}
				}
			}
			if err := now().Check(); err != nil {
				t.Fatal(err)
			}
			if required && kind.Defaults.Check() == nil {
				t.Error("nothing is wrong with settings that lack what is required")
			}
			i, err := kind.Make(now())
			if err != nil {
				t.Fatal(err)
			}
			if err := i.Close(); err != nil {
				t.Error(err)
			}
			if _, err := kind.Make(other{}); err == nil {
				t.Error("made of settings of another type")
			}
		})
	}
	if found, ok := Find("none"); ok {
		t.Errorf("%+v", found)
	}
}

type other struct{}

func (other) Check() error { return nil }
