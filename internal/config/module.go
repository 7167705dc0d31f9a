package config

import (
	"slices"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/rules"
)

// extension is what a [[module]] says.
type extension struct {
	at       *node
	name     string
	kind     string
	url      string
	factor   rules.Weight
	onError  string
	limits   module.Limits
	headers  bool
	archives bool
	user     string
	password string
	cas      string // PEM
	stateDir string // of the gateway
}

// moduleType is a kind of extension module: what it needs and what its settings are.
type moduleType struct {
	name    string
	keys    []string // besides those that every module has
	onError string   // what goes without saying
	maxSize int64    // likewise
	// settings are those of its package; err is what is wrong with them.
	settings func(*extension) (settings any, err error)
}

// common are the keys of every module.
var common = []string{"name", "type", "factor", "on_error", "timeout", "max_size", "connections"}

func newExtension(n *node) *extension {
	return &extension{
		at: n, factor: 1000, archives: true,
		limits: module.Limits{Timeout: 10 * time.Second, Parallel: 10},
	}
}

func (d *decoder) module(n *node) {
	e := newExtension(n)
	d.Read(n, "[[module]]", d.moduleFields(e))
	if e.name != "" {
		d.source.Modules = append(d.source.Modules, e.name)
	}
	if e.kind != "" {
		d.extensions = append(d.extensions, e)
	}
}

func (d *decoder) moduleFields(e *extension) []field {
	return []field{
		{Key: "name", Read: d.moduleName(e), Required: true},
		{Key: "type", Read: d.moduleType(e), Required: true},
		{Key: "url", Read: d.Text(&e.url)},
		{Key: "factor", Read: d.weight(&e.factor)},
		{Key: "on_error", Read: d.OneOf(&e.onError, "ignore", "tempfail")},
		{Key: "timeout", Read: d.Duration(&e.limits.Timeout, 100*time.Millisecond, maxInspection)},
		{Key: "max_size", Read: d.Size(&e.limits.MaxSize, 1, maxInspected)},
		{Key: "connections", Read: d.Whole(&e.limits.Parallel, 1, maxParallel)},
		{Key: "headers", Read: d.Boolean(&e.headers)},
		{Key: "password_file", Read: d.SecretFile(&e.password)},
		{Key: "ca_file", Read: d.CertificateTexts(&e.cas)},
		{Key: "user", Read: d.Text(&e.user)},
		{Key: "archives", Read: d.Boolean(&e.archives)},
	}
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

func (d *decoder) moduleType(e *extension) func(*node) {
	return func(n *node) {
		s, ok := d.ReadString(n)
		var names []string
		for _, t := range moduleTypes() {
			names = append(names, t.name)
		}
		if ok && d.Among(n, s, names) {
			e.kind = s
		}
	}
}

// finishModule checks a module, when all sections have been read.
func (d *decoder) finishModule(e *extension) {
	i := slices.IndexFunc(moduleTypes(), func(t moduleType) bool { return t.name == e.kind })
	kind := moduleTypes()[i]
	for _, c := range e.at.Children {
		if !slices.Contains(common, c.Key) && !slices.Contains(kind.keys, c.Key) {
			d.Errorf(c, "%s is without meaning for type %q", c.Key, e.kind)
			return
		}
	}
	where := e.at.Child("url")
	if slices.Contains(kind.keys, "url") && where == nil {
		d.Errorf(e.at, "[[module]] of type %q needs url", e.kind)
		return
	}
	if where == nil {
		where = e.at
	}
	if e.url != "" && !strings.Contains(e.url, "://") && (e.kind == "rspamd" || e.kind == "http") {
		d.Errorf(where, "url: %q has no scheme; did you mean %q?", e.url, "http://"+e.url)
		return
	}
	e.stateDir = d.config.StateDir
	settings, err := kind.settings(e)
	if err != nil {
		d.Errorf(where, "url: %v", err)
		return
	}
	onError := rules.Continue
	if e.onError == "" {
		e.onError = kind.onError
	}
	if e.limits.MaxSize == 0 {
		e.limits.MaxSize = kind.maxSize
	}
	if e.onError == "tempfail" {
		onError = rules.Tempfail
	}
	d.config.Modules = append(d.config.Modules, Module{
		Inspector: Inspector{Pos: where.Pos(), Name: e.name, Type: e.kind, Settings: settings, Limits: e.limits},
		Factor:    e.factor, OnError: onError,
	})
}
