package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
	"github.com/tollgate-mail/tollgate/rules"
)

// Definition is a client that stands outside of the policy: JSON with the keys
// of [[client]].
type Definition struct {
	ID   string // "" where the text has it
	Text string
	Pos  rules.Pos // where the text begins
}

// Definer reads definitions of clients under a policy: its tariffs and its time
// zone. It is for one goroutine.
type Definer struct {
	d       *decoder
	tariffs map[string]*price.Tariff
}

// Definer of the policy.
func (c *Config) Definer() *Definer {
	r := &Definer{d: newDecoder(), tariffs: make(map[string]*price.Tariff, len(c.Tariffs))}
	r.d.zone = c.Location
	for _, t := range c.Tariffs {
		r.tariffs[t.Name] = t
		r.d.tariffByName[t.Name] = &tariffEntry{Terms: t.Terms}
		r.d.tariffList = append(r.d.tariffList, r.d.tariffByName[t.Name])
	}
	return r
}

// Basis is what the reading of definitions depends on: under two policies with
// the same one they read the same.
func (c *Config) Basis() string {
	versions := make([]string, 0, len(c.Tariffs)+1)
	for _, t := range c.Tariffs {
		versions = append(versions, t.Name+" "+t.Version())
	}
	slices.Sort(versions)
	return strings.Join(append(versions, c.Location.String()), "\n")
}

// Client reads a definition; nil when a problem is an error.
func (r *Definer) Client(def Definition) (*accounting.Client, rules.Problems) {
	c, problems := r.Parts(def)
	if problems.Err() != nil {
		return nil, problems
	}
	return c, problems
}

// Parts reads what can be read of a definition, errors or not; nil when that is
// nothing.
func (r *Definer) Parts(def Definition) (*accounting.Client, rules.Problems) {
	d := r.d
	d.Problems = nil
	n, problem := document.ParseJSON(def.Pos, def.Text)
	if problem != nil {
		return nil, rules.Problems{*problem}
	}
	id := n.Child("id")
	switch {
	case def.ID == "":
	case id == nil:
		n.Add(&node{File: n.File, Line: n.Line, Key: "id", Value: def.ID})
	case id.Value != def.ID:
		d.Errorf(id, "id is %s, but the definition is that of %q", values.Shown(id), def.ID)
	}
	c := d.readClient(n)
	c.Location = d.zone
	d.finishTariff(c, r.tariffs)
	return c.Client, d.Problems
}

// Place is where what clashes stands in a definition.
func (d Definition) Place(c directory.Clash) rules.Pos {
	n, problem := document.ParseJSON(d.Pos, d.Text)
	if problem != nil {
		return d.Pos
	}
	list := n.Child(directory.Kinds()[c.Kind])
	if list == nil {
		return d.Pos
	}
	for _, at := range list.Children {
		text, ok := at.Value.(string)
		if p, err := values.ParseNetwork(text); c.Kind == directory.Network && err == nil {
			text = p.String()
		}
		if ok && text == c.Text {
			return at.Pos()
		}
	}
	return d.Pos
}

// Compact is its text on one line.
func (d Definition) Compact() string {
	n, problem := document.ParseJSON(d.Pos, d.Text)
	if problem != nil {
		return d.Text
	}
	return n.JSON()
}

// DirectoryOf is the policy's own clients and others, and what clashes.
// Incomplete: not all others are known.
func (c *Config) DirectoryOf(others []*accounting.Client, incomplete bool) (*directory.Directory, []directory.Clash) {
	is := c.Directory
	is.Incomplete = incomplete
	return directory.New(is, append(slices.Clone(c.Clients), others...))
}

// ReadDefinitions reads a file with nothing but [[client]] or, where its name
// ends in .json or .jsonl, with a JSON object a line, each with an id. What is
// wrong with a client itself a Definer says.
func ReadDefinitions(path string) ([]Definition, rules.Problems) {
	text, err := document.ReadFile(path, document.MaxFile)
	if err != nil {
		return nil, rules.Problems{{Pos: rules.Pos{File: path}, Msg: err.Error()}}
	}
	if strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".jsonl") {
		return jsonLines(path, text)
	}
	root, problem := document.Parse(path, text, []string{"client"})
	if problem != nil {
		return nil, rules.Problems{*problem}
	}
	d := newDecoder()
	var list []Definition
	d.readSections(root, []section{{key: "client", many: true, read: func(n *node) {
		if id := n.Child("id"); id == nil || id.Kind != document.Single {
			d.Errorf(n, "[[client]] needs id")
			return
		}
		list = append(list, Definition{Text: n.Placed(), Pos: n.Pos()})
	}}}, "")
	return list, d.Problems
}

func jsonLines(path, text string) (list []Definition, problems rules.Problems) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		at := rules.Pos{File: path, Line: number}
		n, problem := document.ParseJSON(at, line)
		if problem == nil && n.Child("id") == nil {
			problem = &rules.Problem{Pos: at, Msg: "a client needs an id"}
		}
		if problem != nil {
			problems = append(problems, *problem)
			continue
		}
		list = append(list, Definition{Text: line, Pos: at})
	}
	return list, problems
}

// WithDisabled is a definition with its disabled set.
func WithDisabled(text string, disabled bool) (string, error) {
	n, problem := document.ParseJSON(rules.Pos{}, text)
	if problem != nil {
		return "", errors.New(problem.Msg)
	}
	if c := n.Child("disabled"); c != nil {
		c.Kind, c.Value, c.Children = document.Single, disabled, nil
	} else {
		n.Add(&node{Key: "disabled", Value: disabled})
	}
	return n.JSON(), nil
}
