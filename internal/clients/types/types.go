// Package types is the table of what sources of clients there are: the settings
// that each is told, and what is made of them. Who reads a policy needs the first
// and follows none; who follows them reads no policy.
package types

import (
	"errors"
	"fmt"

	"github.com/tollgate-mail/tollgate/internal/clients"
	"github.com/tollgate-mail/tollgate/internal/clients/file"
	"github.com/tollgate-mail/tollgate/internal/clients/redis"
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/settings"
)

// Type is a source of clients.
type Type struct {
	Name string
	// Defaults are its settings where a policy says nothing: it is not named.
	Defaults clients.Settings
	// Section is one that the policy must have for it, "" for none.
	Section string

	read func(clients.Settings) (*document.Node, *diag.Problem)
	make func(clients.Settings, clients.Env) (clients.Source, error)
}

// Sources are all of them, in the order in which they are read.
func Sources() []Type {
	return []Type{
		read("file", file.Settings{}, file.Read),
		followed("redis", "redis", redis.Settings{}, redis.New),
	}
}

// Find is the source of a name.
func Find(name string) (Type, bool) {
	for _, t := range Sources() {
		if t.Name == name {
			return t, true
		}
	}
	return Type{}, false
}

// Followed tells whether it is followed while the daemon runs; otherwise it is read
// with the policy.
func (t Type) Followed() bool { return t.make != nil }

// Settings are new ones, for settings.Keys to fill: a pointer to a copy of
// Defaults, and the settings that it points to by then.
func (t Type) Settings() (into any, now func() clients.Settings) { return settings.Copy(t.Defaults) }

// Read is what stands in one that is read with the policy: a table with the arrays
// client and tariff, each value with its place. There may be both a table and a
// problem.
func (t Type) Read(s clients.Settings) (*document.Node, *diag.Problem) {
	if t.read == nil {
		return nil, &diag.Problem{Msg: fmt.Sprintf("clients: %s is not read with the policy", t.Name)}
	}
	return t.read(s)
}

// Make makes one that is followed. It waits for nobody.
func (t Type) Make(s clients.Settings, env clients.Env) (clients.Source, error) {
	if t.make == nil {
		return nil, errors.New("clients: " + t.Name + " is not followed")
	}
	return t.make(s, env)
}

func read[S clients.Settings](name string, defaults S, read func(S) (*document.Node, *diag.Problem)) Type {
	return Type{Name: name, Defaults: defaults, read: func(s clients.Settings) (*document.Node, *diag.Problem) {
		own, ok := s.(S)
		if !ok {
			return nil, &diag.Problem{Msg: fmt.Sprintf("clients: settings of %s are %T", name, s)}
		}
		return read(own)
	}}
}

func followed[S clients.Settings, F clients.Source](name, section string, defaults S, make func(S, clients.Env) (F, error)) Type {
	return Type{Name: name, Defaults: defaults, Section: section, make: func(s clients.Settings, env clients.Env) (clients.Source, error) {
		own, ok := s.(S)
		if !ok {
			return nil, fmt.Errorf("clients: settings of %s are %T", name, s)
		}
		source, err := make(own, env)
		if err != nil {
			return nil, err
		}
		return source, nil
	}}
}
