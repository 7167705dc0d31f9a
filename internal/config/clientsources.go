package config

import (
	"github.com/tollgate-mail/tollgate/internal/clients"
	"github.com/tollgate-mail/tollgate/internal/clients/types"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
	"github.com/tollgate-mail/tollgate/internal/settings"
	"github.com/tollgate-mail/tollgate/rules"
)

// ClientSource is where clients stand that are followed while the daemon runs.
type ClientSource struct {
	Pos  rules.Pos // of the key that names it
	Type string    // its name in the table of sources
	// Settings are those of the package of its type. Two sources are the same
	// when these are equal (reflect.DeepEqual).
	Settings clients.Settings
}

// clientSource is what [clients] says of one of the sources.
type clientSource struct {
	kind types.Type
	keys []settings.Key
	now  func() clients.Settings
	at   *node // the first of its keys that is there, nil: none
}

func newClientSources() []*clientSource {
	var all []*clientSource
	for _, kind := range types.Sources() {
		into, now := kind.Settings()
		all = append(all, &clientSource{kind: kind, keys: settings.Keys(into), now: now})
	}
	return all
}

// clients is [clients]: where further clients are.
func (d *decoder) clients(n *node) {
	d.clientSources, d.clientsAt = newClientSources(), n
	d.Read(n, "[clients]", d.clientsFields(d.clientSources))
}

func (d *decoder) clientsFields(all []*clientSource) []field {
	var fields []field
	for _, s := range all {
		for _, f := range d.settingsFields(s.keys) {
			read := f.Read
			f.Read = func(n *node) {
				if s.at == nil {
					s.at = n
				}
				read(n)
			}
			fields = append(fields, f)
		}
	}
	return fields
}

// clientFile reads a file with clients. Of one that cannot be read nothing is
// concluded.
func (d *decoder) clientFile(into *settings.ClientFile) func(*node) {
	return func(n *node) {
		var path string
		d.Path(&path)(n)
		d.moreClients = true
		if path == "" {
			return
		}
		text, err := document.ReadFile(path, document.MaxFile)
		if err != nil {
			d.Errorf(n, "cannot read the clients of %s: %v", path, err)
			return
		}
		d.config.Sources = append(d.config.Sources, source.Of(path, source.Clients, text))
		*into = settings.ClientFile{Path: path, Text: text}
	}
}

// finishClientSources reads those that are read with the policy, after its own
// clients: so it is with patterns, of which the first one stands.
func (d *decoder) finishClientSources(root *node) {
	for _, s := range d.clientSources {
		if s.at == nil {
			continue
		}
		for _, k := range s.keys {
			if k.Required && d.clientsAt.Child(k.Name) == nil {
				d.Errorf(s.at, "%s needs %s", s.at.Key, k.Name)
			}
		}
		is := s.now()
		if err := is.Check(); err != nil {
			d.Errorf(wrongKey(d.clientsAt, err), "%v", err)
			continue
		}
		if !is.Named() {
			continue
		}
		d.moreClients = true
		switch section := s.kind.Section; {
		case section != "" && root.Child(section) == nil:
			d.Errorf(s.at, "%s = %s: the policy has no [%s]", s.at.Key, values.Shown(s.at), section)
		case !s.kind.Followed():
			d.readClients(s.kind.Read(is))
		case d.config.ClientSource != nil:
			d.Errorf(s.at, "%s: clients are followed in one place, and that is %s already", s.at.Key, d.config.ClientSource.Type)
		default:
			d.config.ClientSource = &ClientSource{Pos: s.at.Pos(), Type: s.kind.Name, Settings: is}
		}
	}
}

// readClients reads what stood in a source.
func (d *decoder) readClients(root *node, problem *rules.Problem) {
	if problem != nil {
		d.Problems = append(d.Problems, *problem)
	}
	if root != nil {
		d.readSections(root, []section{{key: "client", many: true, read: d.client}, {key: "tariff", many: true, read: d.tariff}}, "")
	}
}
