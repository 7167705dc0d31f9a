package config

import (
	"hash"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/policyfile/document"
	"github.com/tollgate-mail/tollgate/internal/policyfile/values"
	"github.com/tollgate-mail/tollgate/internal/state"
	"github.com/tollgate-mail/tollgate/rules"
	"github.com/tollgate-mail/tollgate/rules/expr"
	"github.com/tollgate-mail/tollgate/rules/list"
)

// node is a value of the policy with its place.
type node = document.Node

// field is one key of a table and how it is read.
type field = values.Field

// decoder turns the values of a policy into what they mean and gathers what is
// wrong with them.
type decoder struct {
	values.Reader

	config    Config
	brief     bool      // nothing is kept for a history
	form      hash.Hash // of the canonical form
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

	clientSources []*clientSource
	clientsAt     *node // [clients]; nil: it is not there

	// What could not be read, so that nothing is concluded from its absence.
	noMode      bool // the mode of [recipients]
	moreClients bool // some clients
	unread      bool // a folder of include

	// Of texts that are no TOML what remains is read, and what is wrong with them goes
	// here; nil: nothing is read of them.
	noTOML *rules.Problems

	// Where something stands that is judged at the end.
	refuseAt, recipientsAt *node
	greylistAt             *node
	domainsAt              map[string]*node
	outboundAt             *node              // of [accounting]
	brokenAt               map[rules.Pos]bool // rules and thresholds with errors

	// Rules are read when they are compiled, by one set of fields, each into oneRule:
	// there may be very many. kept are those that have been read; nil where nobody
	// wants them.
	ruleList []*node
	oneRule  rules.SourceRule
	ruleKeys []field
	kept     []rules.SourceRule
}

func newDecoder() *decoder {
	cache := expr.NewCache(expr.DefaultCache)
	d := &decoder{
		cache: cache,
		config: Config{
			Listen:        []string{defaultListen},
			StateDir:      defaultStateDir,
			PostfixConfig: defaultPostfixConfig,
			JournalDir:    defaultJournalDir,
			JournalIndex:  true,
			Confine:       ConfineOff,

			Greylist:          state.DefaultGreylist(),
			CorrespondentLife: state.DefaultCorrespondentLife,
		},
		gate: gate.Settings{
			ReportHeader: "X-Tollgate",
			Refuse:       accounting.AllBlocks,
			Replies:      defaultReplies(),
		},
		directory:  directory.Config{Delimiter: "+"},
		source:     rules.Source{Lists: map[string]*list.List{}, ListsAt: map[string]rules.Pos{}, Cache: cache, Now: time.Now, Words: closedWords()},
		zone:       time.UTC,
		clientByID: map[string]int{},

		tariffByName: map[string]*tariffEntry{},
		domainsAt:    map[string]*node{},
		brokenAt:     map[rules.Pos]bool{},
	}
	d.Meant = d.meant
	return d
}
