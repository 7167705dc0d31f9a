package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/types"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
	"github.com/tollgate-mail/tollgate/internal/settings"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/foreign"
)

// extension is what a [[module]] says.
type extension struct {
	at      *node
	name    string
	kind    types.Type // without a name: none that is known
	factor  rules.Weight
	onError string
	limits  module.Limits

	keys     []settings.Key // of settings
	settings func() module.Settings
}

func newExtension(n *node) *extension {
	return &extension{
		at: n, factor: 1000,
		limits: module.Limits{Timeout: 10 * time.Second, Parallel: 10, MaxSize: 10 << 20},
	}
}

func (d *decoder) module(n *node) {
	e := newExtension(n)
	// What the other keys mean depends on it, wherever it stands.
	if kind := n.Child("type"); kind != nil {
		name, _ := kind.Value.(string)
		e.be(name)
	}
	d.Read(n, "[[module]]", d.moduleFields(e))
	if e.name != "" {
		d.source.Modules = append(d.source.Modules, e.name)
	}
	if e.kind.Name != "" {
		d.extensions = append(d.extensions, e)
	}
	if e.kind.Symbols != nil && e.name != "" {
		d.source.Words[rules.Key{Attr: rules.ModuleSymbol, Name: e.name}] = e.kind.Symbols
	}
}

// be makes it one of a type, with what goes without saying.
func (e *extension) be(name string) {
	i := slices.IndexFunc(types.Modules(), func(t types.Type) bool { return t.Name == name })
	if i < 0 {
		return
	}
	e.kind = types.Modules()[i]
	into, now := e.kind.Settings()
	e.keys, e.settings = settings.Keys(into), now
	e.onError = "ignore"
	if e.kind.Local {
		e.onError, e.limits.MaxSize = "tempfail", maxInspected
	}
}

func (d *decoder) moduleFields(e *extension) []field {
	return append([]field{
		{Key: "name", Read: d.moduleName(e), Required: true},
		{Key: "type", Read: d.moduleType, Required: true},
		{Key: "factor", Read: d.weight(&e.factor)},
		{Key: "on_error", Read: d.OneOf(&e.onError, "ignore", "tempfail")},
		{Key: "timeout", Read: d.Duration(&e.limits.Timeout, 100*time.Millisecond, maxInspection)},
		{Key: "max_size", Read: d.mailSize(&e.limits.MaxSize, 1, maxInspected)},
		{Key: "connections", Read: d.Whole(&e.limits.Parallel, 1, maxParallel)},
	}, d.typeFields(e)...)
}

// typeFields are the keys of all types, each once. Those of others than its own
// are without meaning.
func (d *decoder) typeFields(e *extension) []field {
	fields := d.settingsFields(e.keys)
	for _, t := range types.Modules() {
		into, _ := t.Settings()
		for _, f := range d.settingsFields(settings.Keys(into)) {
			if slices.ContainsFunc(fields, func(g field) bool { return g.Key == f.Key }) {
				continue
			}
			fields = append(fields, field{Key: f.Key, Read: func(n *node) {
				if e.kind.Name != "" { // else it was told that there is none
					d.Errorf(n, "%s is without meaning for type %q", n.Key, e.kind.Name)
				}
			}})
		}
	}
	return fields
}

// settingsFields are the keys of settings.
func (d *decoder) settingsFields(keys []settings.Key) []field {
	var fields []field
	for _, k := range keys {
		f := field{Key: k.Name}
		switch into := k.Into.(type) {
		case *settings.StateDir: // no key's
			continue
		case *string:
			f.Read = d.serviceText(into)
		case *bool:
			f.Read = d.Boolean(into)
		case *settings.Secret:
			f.Read = d.SecretFile((*string)(into))
		case *settings.Certificates:
			f.Read = d.CertificateTexts((*string)(into))
		case *settings.Path:
			f.Read = d.Path((*string)(into))
		case *settings.ClientFile:
			f.Read = d.clientFile(into)
		default:
			panic(fmt.Sprintf("config: nobody reads a %T, as %s is", into, k.Name)) // a test reads the keys of all types
		}
		fields = append(fields, f)
	}
	return fields
}

// serviceText reads a text of a service's. The path of a socket is relative to the
// file that names it, as all paths are.
func (d *decoder) serviceText(into *string) func(*node) {
	read := d.Text(into)
	return func(n *node) {
		read(n)
		path, ok := strings.CutPrefix(*into, "unix:")
		if !ok || path == "" || path[0] == '@' || filepath.IsAbs(path) {
			return
		}
		c := *n
		c.Value = path
		if full, err := filepath.Abs(values.Resolve(&c)); err == nil { // else Check says what is wrong
			*into = "unix:" + full
		}
	}
}

// checked are the settings that were read, unless something is wrong with them:
// that is told of at the key, or at the table that lacks one.
func (d *decoder) checked(at *node, what string, keys []settings.Key, now func() module.Settings) (module.Settings, bool) {
	for _, k := range keys {
		if k.Required && at.Child(k.Name) == nil {
			d.Errorf(at, "%s needs %s", what, k.Name)
			return nil, false
		}
		if dir, ok := k.Into.(*settings.StateDir); ok {
			*dir = settings.StateDir(d.config.StateDir)
		}
	}
	s := now()
	if err := s.Check(); err != nil {
		d.Errorf(wrongKey(at, err), "%v", err)
		return nil, false
	}
	return s, true
}

// wrongKey is where the key stands that an error of settings names, or the table.
func wrongKey(table *node, err error) *node {
	var wrong *settings.KeyError
	if errors.As(err, &wrong) && table.Child(wrong.Key) != nil {
		return table.Child(wrong.Key)
	}
	return table
}

func (d *decoder) moduleName(e *extension) func(*node) {
	return func(n *node) {
		s, ok := d.ReadString(n)
		if !ok {
			return
		}
		for _, r := range s {
			if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-' {
				d.Errorf(n, "name %q: rules name it as module.NAME.score; it is made of a-z, 0-9, _ and -", s)
				return
			}
		}
		switch {
		case s == "" || len(s) > 64:
			d.Errorf(n, "name must have 1 to 64 characters")
		case slices.Contains(d.source.Modules, s):
			d.Errorf(n, "name %q is taken by another [[module]]", s)
		case s == "antivirus":
			d.Errorf(n, `name "antivirus" is that of the [antivirus] section`)
		default:
			e.name = s
		}
	}
}

func (d *decoder) moduleType(n *node) {
	s, ok := d.ReadString(n)
	var names []string
	for _, t := range types.Modules() {
		names = append(names, t.Name)
	}
	if instead := foreign.Module(s); ok && instead != "" {
		d.Errorf(n, "type cannot be %q; %s", s, instead)
		return
	}
	if ok {
		d.Among(n, s, names)
	}
}

// finishModule checks a module, when all sections have been read.
func (d *decoder) finishModule(e *extension) {
	for _, k := range e.keys {
		if k.Name != "" && notText(e.at, k.Name) {
			if _, ok := k.Into.(*string); ok {
				return // told of already
			}
		}
	}
	checked, ok := d.checked(e.at, fmt.Sprintf("[[module]] of type %q", e.kind.Name), e.keys, e.settings)
	if !ok {
		return
	}
	where := e.at
	if url := e.at.Child("url"); url != nil {
		where = url
	}
	onError := rules.Continue
	if e.onError == "tempfail" {
		onError = rules.Tempfail
	}
	d.config.Modules = append(d.config.Modules, Module{
		Inspector: Inspector{Pos: where.Pos(), Name: e.name, Type: e.kind.Name, Settings: checked, Limits: e.limits},
		Factor:    e.factor, OnError: onError,
	})
}
