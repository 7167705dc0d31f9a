package module

import (
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// Settings are what a type of inspectors is told: a struct whose keys (see package
// settings) stand in [[module]], and of which two that are equal
// (reflect.DeepEqual) make inspectors that do the same.
type Settings interface {
	// Check says what is wrong with the values, so that New of them can fail no
	// more. A *settings.KeyError says with which.
	Check() error
}

// In is the settings with another folder for files without a name.
func In(s Settings, dir string) Settings {
	into, now := settings.Copy(s)
	for _, k := range settings.Keys(into) {
		if into, ok := k.Into.(*settings.StateDir); ok {
			*into = settings.StateDir(dir)
		}
	}
	return now()
}
