package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/source"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// lists is [lists]: each key is a list's name, each value its entries or the
// file that has them.
func (d *decoder) lists(n *node) {
	for _, c := range n.Children {
		if !isListName(c.Key) {
			d.Errorf(c, "list %q: letters, digits and . _ - can name a list", c.Key)
		}
		// A list that cannot be read is nil: rules that name it are not to
		// blame.
		d.source.Lists[c.Key] = d.list(c)
		d.source.ListsAt[c.Key] = c.Pos()
	}
}

func isListName(s string) bool {
	for i := range len(s) {
		if !document.Bare(s[i]) && s[i] != '.' {
			return false
		}
	}
	return s != ""
}

func (d *decoder) list(n *node) *list.List {
	switch n.Kind {
	case document.Table:
		l := listSource{kind: list.KindNames()[list.Names]}
		d.Read(n, "list "+n.Key, d.listFields(&l))
		kind, _ := list.ParseKind(l.kind)
		switch {
		case l.entries != nil && l.path != "":
			d.Errorf(n, "list %s has a file and entries; it can have one of them", n.Key)
		case l.entries != nil:
			return d.listEntries(l.entries, kind)
		case l.path != "":
			return d.listFile(n.Child("file"), n.Key, l.path, kind)
		case n.Child("file") == nil && n.Child("entries") == nil:
			d.Errorf(n, "list %s needs file or entries", n.Key)
		}
		return nil
	case document.Array:
		return d.listEntries(n, list.Names)
	}
	d.Errorf(n, `list %s must be an array of entries or { file = "path" }, not %s`, n.Key, n.What())
	return nil
}

// listSource is what a list that is a table says.
type listSource struct {
	path    string
	entries *node
	kind    string
}

func (d *decoder) listFields(l *listSource) []field {
	return []field{
		{Key: "file", Read: d.Path(&l.path)},
		{Key: "entries", Read: func(n *node) { l.entries = n }},
		{Key: "type", Read: d.OneOf(&l.kind, list.KindNames()...)},
	}
}

func (d *decoder) listEntries(n *node, kind list.Kind) *list.List {
	var entries []rules.Operand
	for _, c := range d.TextNodes(n) {
		entries = append(entries, rules.Operand{Pos: c.Pos(), V: c.Value})
	}
	made, problems := list.New(entries, kind, d.cache)
	d.Problems = append(d.Problems, problems...)
	return made
}

// listFile reads a file with one entry a line.
func (d *decoder) listFile(n *node, name, path string, kind list.Kind) *list.List {
	f, err := document.Open(path)
	if err != nil {
		d.Errorf(n, "cannot read the list %s: %v", path, err)
		return nil
	}
	if list.IsBuilt(beginning(f)) {
		built, err := d.builtList(n, f, name, path, kind)
		if err != nil {
			d.Errorf(n, "cannot read the list %s: %v", path, errors.Join(err, f.Close()))
		}
		return built
	}
	read, problems, err := d.readList(f, name, path, kind)
	if err != nil {
		d.Errorf(n, "cannot read the list %s: %v", path, err)
		return nil
	}
	d.Problems = append(d.Problems, problems...)
	return read
}

func (d *decoder) readList(f *os.File, name, path string, kind list.Kind) (read *list.List, problems rules.Problems, err error) {
	defer func() {
		if e := f.Close(); e != nil && err == nil {
			err = fmt.Errorf("closing: %w", document.Plain(e))
		}
	}()
	var text *source.Copy
	err = document.Steady(f, func() error {
		text = source.NewCopy()
		read, problems = list.Read(path, text.Of(f), kind, d.cache)
		return nil
	})
	if err == nil {
		d.config.Sources = append(d.config.Sources, text.File(path, source.List, name))
	}
	return read, problems, err
}

// BuiltSuffix ends the names of lists that were built, where nothing else is said.
const BuiltSuffix = ".tgl"

// BuiltName is where the list of a text is built.
func BuiltName(text string) string { return strings.TrimSuffix(text, ".txt") + BuiltSuffix }

var errChanged = errors.New("it was written to while it was read; try again")

// BuildList makes a file, into, of the list in the text file: one that is looked up
// where it stands and takes no memory. What is wrong with entries is among the
// problems; with an error there, or from the system, nothing has changed.
func BuildList(text, into string) (problems rules.Problems, err error) {
	f, err := document.Open(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if list.IsBuilt(beginning(f)) {
		return nil, fmt.Errorf("%s is a list that was built; it is built from the text", text)
	}
	switch there, e := os.Stat(into); {
	case errors.Is(e, fs.ErrNotExist):
	case e != nil:
		return nil, e
	case !there.Mode().IsRegular() || !isBuiltFile(into):
		return nil, fmt.Errorf("%s is there, and is no list that was built", into)
	}
	sum := sha256.New()
	read := func() (list.Text, error) {
		after, err := f.Stat()
		if err != nil {
			return list.Text{}, err
		}
		if !after.ModTime().Equal(info.ModTime()) || after.Size() != info.Size() {
			return list.Text{}, fmt.Errorf("%s: %w", text, errChanged)
		}
		return list.Text{Name: filepath.Base(text), Size: after.Size(), Changed: after.ModTime(), Hash: hex.EncodeToString(sum.Sum(nil))}, nil
	}
	return list.Build(into, info, text, io.TeeReader(f, sum), read)
}

// VerifyList reads a list that was built, all of it.
func VerifyList(path string) (entries int, text list.Text, err error) {
	f, err := document.Open(path)
	if err != nil {
		return 0, text, fmt.Errorf("%s: %w", path, err)
	}
	l, text, err := list.Open(f)
	if err == nil {
		entries, err = l.Len(), l.Verify()
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return entries, text, errors.Join(err, f.Close())
}

// beginning is as much of a file as tells whether it was built.
func beginning(f *os.File) []byte {
	var b [list.BeginningSize]byte
	n, _ := f.ReadAt(b[:], 0) // what is shorter was not
	return b[:n]
}

func isBuiltFile(path string) bool {
	f, err := document.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	return list.IsBuilt(beginning(f))
}

// builtList takes the file of a list that was built.
func (d *decoder) builtList(n *node, f *os.File, name, path string, kind list.Kind) (*list.List, error) {
	if kind != list.Names {
		return nil, fmt.Errorf("it was built, and lists that are built have names; this one has type = %q", list.KindNames()[kind])
	}
	l, text, err := list.Open(f)
	if err != nil {
		return nil, err
	}
	d.config.Sources = append(d.config.Sources, source.File{Path: path, Role: source.List, Name: name, Size: text.Size, Hash: text.Hash, Built: true})
	d.config.Built = append(d.config.Built, BuiltList{name, path, l})
	from := filepath.Join(filepath.Dir(path), text.Name)
	if info, err := os.Stat(from); err == nil && otherText(from, info, text) {
		d.Warnf(n, "list %s: %s was changed at %s, after it was built; build it again: tollgate list build %s",
			name, from, info.ModTime().Format(time.DateTime), from)
	}
	return l, nil
}

// otherText tells whether what is beside a list that was built is not the text that it
// was built of. A copy has another time: what can be read soon is compared. What
// cannot be read is taken for another text.
func otherText(path string, info os.FileInfo, text list.Text) bool {
	switch {
	case info.Size() != text.Size, !info.Mode().IsRegular():
		return true
	case info.ModTime().Equal(text.Changed):
		return false
	case info.Size() > source.MostText:
		return true
	}
	b, err := os.ReadFile(path)
	return err != nil || source.Of(path, source.List, string(b)).Hash != text.Hash
}
