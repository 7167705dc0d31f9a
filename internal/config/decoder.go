package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config/document"
	"github.com/tollgate-mail/tollgate/internal/diag"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// node is a value of the policy with its place.
type node = document.Node

// decoder turns the values of a policy into what they mean and gathers what is
// wrong with them.
type decoder struct {
	problems rules.Problems
	untold   int // errors beyond maxProblems

	config    Config
	gate      gate.Settings
	directory directory.Config
	source    rules.Source
	cache     *expr.Cache // of the policy's expressions
	zone      *time.Location

	extensions []*extension // modules of a known type

	clientList   []listed
	clientByID   map[string]int // index in clientList
	tariffList   []*tariffEntry
	tariffByName map[string]*tariffEntry
	clientFile   *node // the path of a further file with clients
	// What could not be read, so that nothing is concluded from its absence.
	noMode      bool // the mode of [recipients]
	moreClients bool // some clients

	// Where something stands that is judged at the end.
	refuseAt, recipientsAt *node
	greylistAt             *node
	domainsAt              map[string]*node
	brokenAt               map[rules.Pos]bool // rules and thresholds with errors
}

func newDecoder() *decoder {
	cache := expr.NewCache(expr.DefaultCache)
	return &decoder{
		cache: cache,
		config: Config{
			Listen:        []string{defaultListen},
			StateDir:      defaultStateDir,
			PostfixConfig: defaultPostfixConfig,
			JournalDir:    defaultJournalDir,

			Greylist:          state.DefaultGreylist(),
			CorrespondentLife: state.DefaultCorrespondentLife,
		},
		gate: gate.Settings{
			ReportHeader: "X-Tollgate",
			Refuse:       everyRefusal(),
			Replies:      defaultReplies(),
		},
		directory:  directory.Config{Delimiter: "+"},
		source:     rules.Source{Lists: map[string]*list.List{}, Cache: cache, Now: time.Now},
		zone:       time.UTC,
		clientByID: map[string]int{},

		tariffByName: map[string]*tariffEntry{},
		domainsAt:    map[string]*node{},
		brokenAt:     map[rules.Pos]bool{},
	}
}

// field is one key of a table and how it is read.
type field struct {
	key      string
	read     func(*node) // nil: its feature is not part of this version
	without  any         // with a nil read: the value that says to do without it
	required bool
}

const notYet = "is not part of this version of tollgate"

func (d *decoder) errorf(at *node, format string, args ...any) {
	d.errorAt(at.Pos(), format, args...)
}

// maxProblems bounds what is told of a file that is no policy at all.
const maxProblems = 10_000

func (d *decoder) errorAt(pos rules.Pos, format string, args ...any) {
	if len(d.problems) >= maxProblems {
		d.untold++
		return
	}
	d.problems = append(d.problems, rules.Problem{Pos: pos, Msg: fmt.Sprintf(format, args...)})
}

func (d *decoder) warnf(at *node, format string, args ...any) {
	d.problems = append(d.problems, rules.Problem{Pos: at.Pos(), Msg: fmt.Sprintf(format, args...), Warning: true})
}

// read reads a table: each key by its field, in the order in which they were
// written. Name is how messages call the table, such as "[gateway]".
func (d *decoder) read(n *node, name string, fields []field) {
	if !d.is(n, document.Table) {
		return
	}
	for _, c := range n.Children {
		f, ok := find(fields, c.Key)
		switch {
		case !ok:
			d.unknown(c, name, fields)
		case f.read == nil && f.without != nil && c.Value == f.without:
		case f.read == nil:
			d.errorf(c, "%s in %s %s", c.Key, name, notYet)
		default:
			f.read(c)
		}
	}
	for _, f := range fields {
		if f.required && n.Child(f.key) == nil {
			d.errorf(n, "%s needs %s", name, f.key)
		}
	}
}

func find(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

// unknown reports a key that the table does not have, and the most similar
// one that it has.
func (d *decoder) unknown(n *node, name string, fields []field) {
	var valid []string
	for _, f := range fields {
		if f.read != nil {
			valid = append(valid, f.key)
		}
	}
	meant := hint(n.Key, valid)
	if name := otherName(name, n.Key); name != "" {
		meant = "; here it is " + name
	}
	if s := document.Lookalike(n.Key); s != "" {
		meant = s
	}
	if holder := d.holder(n.Key); holder != "" {
		meant = "; it belongs in " + holder
	}
	d.errorf(n, "unknown key %s in %s%s", document.QuoteKey(n.Key), name, meant)
}

// fewNames are told all.
const fewNames = 8

// hint names what may have been meant: of few names all, of many the nearest.
func hint(name string, valid []string) string {
	if near := diag.Nearest(name, valid); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	switch {
	case len(valid) == 1:
		return "; it can only be " + valid[0]
	case len(valid) <= fewNames:
		return "; it is one of " + strings.Join(valid, ", ")
	}
	return ""
}
