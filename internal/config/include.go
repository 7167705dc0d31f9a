package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/filenames"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
)

// readPolicy reads the main file and what it includes, as one table. It is nil
// when a file of them cannot be read.
func (d *decoder) readPolicy(path string) *node {
	root, problem := d.document(path, source.Policy)
	if problem != nil {
		d.Problems = append(d.Problems, *problem)
	}
	if root == nil {
		return nil
	}
	whole := true
	for _, file := range d.included(root, path) {
		part, problem := d.document(file, source.Include)
		if problem != nil {
			d.Problems = append(d.Problems, *problem)
		}
		if part == nil {
			whole = false
			continue
		}
		if include := part.Child("include"); include != nil {
			d.Errorf(include, "only the main file can include others")
		}
		d.merge(root, part, "")
	}
	if !whole || d.unread {
		// What stands there may be missed elsewhere: nothing more can be said.
		return nil
	}
	return root
}

// included are the files that the patterns of include name, each once: pattern
// by pattern, those of one in the order of their names.
func (d *decoder) included(root *node, path string) []string {
	include := root.Child("include")
	if include == nil {
		return nil
	}
	var files []string
	for _, pattern := range d.TextNodes(include) {
		found := d.matching(pattern, path)
		slices.Sort(found)
		for _, file := range found {
			if !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	return files
}

func (d *decoder) matching(pattern *node, main string) []string {
	name := pattern.Value.(string)
	path := values.Resolve(pattern)
	d.Named(pattern, path)
	found, err := filenames.Matching(path)
	if errors.Is(err, filepath.ErrBadPattern) || name == "" {
		d.Errorf(pattern, "%q is not a pattern of file names", name)
		return nil
	}
	if err != nil { // not "no files": the rules in them would be gone unseen
		d.Errorf(pattern, "what it includes cannot be read: %v", err)
		d.unread = true
		return nil
	}
	if len(found) == 0 && !strings.ContainsAny(name, `*?[\`) {
		// A pattern may have no files yet; a name is meant.
		d.Errorf(pattern, "there is no file %s", path)
	}
	mainInfo, err := os.Stat(main)
	if err != nil {
		return found // it has just been read
	}
	return slices.DeleteFunc(found, func(file string) bool {
		info, err := os.Stat(file)
		if err != nil || !os.SameFile(info, mainInfo) {
			return false
		}
		d.Errorf(pattern, "%q matches the main file itself", name)
		return true
	})
}

// merge adds what a further file says. Tables become one, arrays of tables are
// appended; all else can be said once, or the same again.
func (d *decoder) merge(into, from *node, path string) {
	for _, c := range from.Children {
		name := strings.TrimPrefix(path+"."+c.Key, ".")
		was := into.Child(c.Key)
		switch {
		case was == nil:
			into.Add(c)
		case path == "" && c.Key == "include": // said already
		case was.Kind == document.Table && c.Kind == document.Table:
			d.merge(was, c, name)
		case was.Tables() && c.Tables():
			was.Children = append(was.Children, c.Children...)
		case saysSame(was, c): // twice: files that each stand for themselves
		default:
			d.Errorf(c, "%s is set twice: here and at %s", name, was.Pos())
		}
	}
}

// saysSame tells whether two values say the same, each where it stands.
func saysSame(a, b *node) bool {
	if a.Kind != b.Kind || a.Key != b.Key || len(a.Children) != len(b.Children) {
		return false
	}
	for i := range a.Children {
		if !saysSame(a.Children[i], b.Children[i]) {
			return false
		}
	}
	text, single := a.Value.(string)
	// A relative path is another file in another folder.
	if single && (namesFile(a.Key) || strings.HasPrefix(text, "unix:")) && filepath.Dir(a.File) != filepath.Dir(b.File) {
		return a.Value == b.Value && filepath.IsAbs(strings.TrimPrefix(text, "unix:"))
	}
	return a.Value == b.Value
}

// document reads one TOML file of the policy.
func (d *decoder) document(path, role string) (*node, *diag.Problem) {
	text, err := document.ReadFile(path, document.MaxFile)
	if err != nil {
		return nil, &diag.Problem{Pos: diag.Pos{File: path}, Msg: err.Error()}
	}
	d.config.Sources = append(d.config.Sources, source.Of(path, role, text))
	root, problem := document.ParseFolding(path, text, d.manyTables(), "rule")
	if root == nil && d.noTOML != nil {
		*d.noTOML = append(*d.noTOML, *problem)
		return document.Remains(path, text, placeKeys()), nil
	}
	return root, problem
}

// Includes are the patterns of file names that the text of a main file includes,
// as paths.
func Includes(path, text string) ([]string, error) {
	d := newDecoder()
	root, problem := document.Parse(path, text, d.manyTables())
	if problem != nil {
		return nil, diag.Problems{*problem}.Err()
	}
	include := root.Child("include")
	if include == nil {
		return nil, nil
	}
	var all []string
	for _, n := range d.TextNodes(include) {
		all = append(all, values.Resolve(n))
	}
	return all, nil
}

// Relative are the names of files and folders in the text of a file of the policy that
// mean others where the file stands in another folder, patterns among them.
func Relative(path, text string) ([]string, error) {
	root, problem := document.Parse(path, text, newDecoder().manyTables())
	if problem != nil {
		return nil, diag.Problems{*problem}.Err()
	}
	var all []string
	for _, section := range root.Children {
		if namesNoFile(section.Key) {
			continue
		}
		eachFile(section, func(n *node) {
			if name := n.Value.(string); name != "" && !filepath.IsAbs(name) {
				all = append(all, name)
			}
		})
	}
	if include := root.Child("include"); include != nil {
		for _, n := range newDecoder().TextNodes(include) {
			if name := n.Value.(string); !filepath.IsAbs(name) {
				all = append(all, name)
			}
		}
	}
	return all, nil
}

// Whole is what a policy's files say, for programs that carry it elsewhere: an
// object with "policy", the main file and those it includes as one, "clients", what
// the file of [clients] says (null: there is none), and "files", the paths of all
// that was read. Files that it names have absolute paths, whichever file named them.
// Dates are texts there. A policy with an error has none.
func Whole(path string) ([]byte, diag.Problems) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, diag.Problems{{Pos: diag.Pos{File: path}, Msg: err.Error()}}
	}
	cfg, problems := Load(path)
	if cfg == nil {
		return nil, problems
	}
	d := newDecoder()
	root := d.readPolicy(path)
	if root == nil { // it has changed meanwhile
		return nil, d.Problems
	}
	for _, section := range root.Children {
		if !namesNoFile(section.Key) {
			absolute(section)
		}
	}
	clientsIn := ""
	if n := root.Child("clients"); n != nil && n.Child("file") != nil {
		clientsIn, _ = n.Child("file").Value.(string)
	}
	whole := struct {
		Policy  json.RawMessage `json:"policy"`
		Clients json.RawMessage `json:"clients"`
		Files   []string        `json:"files"`
	}{Policy: source.Canonical(root)}
	for _, f := range cfg.Sources {
		whole.Files = append(whole.Files, f.Path)
		if f.Role == source.Clients && f.Path == clientsIn {
			clients, problem := document.Parse(f.Path, string(f.Text), d.manyTables())
			if problem != nil {
				return nil, diag.Problems{*problem}
			}
			whole.Clients = source.Canonical(clients)
		}
	}
	text, err := json.Marshal(whole)
	if err != nil {
		return nil, diag.Problems{{Pos: diag.Pos{File: path}, Msg: err.Error()}}
	}
	return text, problems
}

// namesFile tells whether a key's value is the name of a file or folder.
func namesFile(key string) bool {
	switch key {
	case "file", "state_dir", "dir", "postfix_config", "follow_maillog":
		return true
	}
	return strings.HasSuffix(key, "_file")
}

// namesNoFile tells sections none of whose keys names a file, whatever it is called.
func namesNoFile(section string) bool {
	return slices.Contains([]string{"rule", "threshold", "client", "tariff", "replies"}, section)
}

// absolute makes paths out of the names of files below n.
func absolute(n *node) {
	eachFile(n, func(c *node) { c.Value = values.Resolve(c) })
}

// eachFile calls fn with every value that names a file.
func eachFile(n *node, fn func(*node)) {
	for _, c := range n.Children {
		name, single := c.Value.(string)
		switch {
		case c.Kind != document.Single:
			eachFile(c, fn)
		case !single, c.Key == "follow_maillog" && name == FollowJournal:
		case namesFile(c.Key):
			fn(c)
		}
	}
}
