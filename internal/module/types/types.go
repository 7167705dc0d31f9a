// Package types is the table of what kinds of inspectors there are: the settings
// that each is told, and how it is made of them. Who reads a policy needs the
// first and makes none; who makes them reads no policy.
package types

import (
	"fmt"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/attachment"
	"github.com/tollgate-mail/tollgate/internal/module/clamav"
	"github.com/tollgate-mail/tollgate/internal/module/http"
	"github.com/tollgate-mail/tollgate/internal/module/rspamd"
	"github.com/tollgate-mail/tollgate/internal/module/spamassassin"
	"github.com/tollgate-mail/tollgate/internal/module/text"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// Type is a kind of inspectors.
type Type struct {
	Name string
	// Defaults are its settings where a policy says nothing.
	Defaults module.Settings
	// Local asks nobody, so nothing but a fault of ours leaves it without a
	// result: not one that mail may pass by. Nor by its size: what it costs is
	// linear in that.
	Local bool
	// Symbols are all that it can find; nil: what the service names.
	Symbols []string
	// Overhead is how many octets go to the service besides a message.
	Overhead int64

	make func(module.Settings) (module.Inspector, error)
}

// Modules are the types of [[module]].
func Modules() []Type {
	return []Type{
		service("rspamd", rspamd.Settings{}, rspamd.New),
		service("spamassassin", spamassassin.Settings{}, spamassassin.New),
		service("http", http.Settings{}, http.New),
		local("attachment", attachment.Settings{Archives: true}, attachment.New, attachment.Symbols()),
		local("text", text.Settings{}, text.New, text.Symbols()),
	}
}

// Antivirus is the type of [antivirus].
func Antivirus() Type {
	t := service("clamav", clamav.Settings{}, clamav.New)
	t.Overhead = clamav.Overhead
	return t
}

// Find is the type of a name, also that of [antivirus].
func Find(name string) (Type, bool) {
	for _, t := range append(Modules(), Antivirus()) {
		if t.Name == name {
			return t, true
		}
	}
	return Type{}, false
}

// Settings are new ones of the type, for settings.Keys to fill: a pointer to a copy
// of Defaults, and the settings that it points to by then.
func (t Type) Settings() (into any, now func() module.Settings) {
	return settings.Copy(t.Defaults)
}

// Make makes an inspector. It opens no file and connects to nobody.
func (t Type) Make(s module.Settings) (module.Inspector, error) { return t.make(s) }

func service[S module.Settings, I module.Inspector](name string, defaults S, make func(S) (I, error)) Type {
	return Type{Name: name, Defaults: defaults, make: func(s module.Settings) (module.Inspector, error) {
		own, ok := s.(S)
		if !ok {
			return nil, fmt.Errorf("settings of type %q are %T", name, s)
		}
		return make(own)
	}}
}

func local[S module.Settings, I module.Inspector](name string, defaults S, make func(S) I, symbols []string) Type {
	t := service(name, defaults, func(s S) (I, error) { return make(s), nil })
	t.Local, t.Symbols = true, symbols
	return t
}
