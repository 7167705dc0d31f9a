package assemble

import (
	"errors"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/rules"
)

// Kept are the clients of a policy for who only reads: its own and, where it
// follows a source, those that a gateway read there last and keeps in the state
// folder. The source itself is not asked: who reads a policy need not be let in
// there.
type Kept struct {
	KeptSource
	of     *directory.Directory
	source *config.ClientSource
	lost   error
}

// KeptSource tells how much is known of the clients of a source.
type KeptSource struct {
	Source   string    `json:"source"` // its name in the table of sources: "redis"
	Clients  int       `json:"clients"`
	Read     time.Time `json:"read"`     // when the gateway read them
	Problems []string  `json:"problems"` // with definitions, under this policy; the first of them
	Error    string    `json:"error"`    // why nothing is known of them; "" where they are
}

// KeptClients reads them. Where nothing is known of the source's, who is not the
// policy's is deferred, not refused: as with a gateway that never reached it.
func KeptClients(cfg *config.Config) *Kept {
	k := &Kept{of: cfg.Gate.Directory}
	if cfg.ClientSource == nil {
		return k
	}
	k.source = cfg.ClientSource
	k.KeptSource = KeptSource{Source: cfg.ClientSource.Type, Problems: []string{}}
	r, err := loadRoster(cfg.StateDir, cfg)
	if err == nil && r == nil {
		err = errors.New("no gateway keeps them in " + cfg.StateDir)
	}
	if err != nil {
		k.Error = err.Error()
		k.of, _ = cfg.DirectoryOf(nil, true)
		return k
	}
	dir, problems := r.directory(cfg)
	k.of, k.Read, k.Clients = dir, r.read, len(r.entries)
	for _, p := range problems[:min(len(problems), mostTold)] {
		k.Problems = append(k.Problems, p.String())
	}
	k.lost = r.unfit()
	return k
}

// StandIn are clients that stand in for those of the source that a policy follows,
// and what is wrong with them.
func StandIn(cfg *config.Config, list []config.Definition) (*Kept, rules.Problems) {
	k := &Kept{of: cfg.Gate.Directory, source: cfg.ClientSource}
	var none *roster
	definitions, problems := none.check(cfg, list)
	if problems.Err() != nil {
		return nil, problems
	}
	var clients []*accounting.Client
	definer := cfg.Definer()
	for _, d := range definitions {
		c, err := readClient(definer, d)
		if err != nil {
			return nil, rules.Problems{{Msg: d.ID + ": " + err.Error()}}
		}
		clients = append(clients, c)
	}
	k.of, _ = cfg.DirectoryOf(clients, false)
	return k, nil
}

// About is what is known of the clients of the source; nil where the policy follows
// none.
func (k *Kept) About() *KeptSource {
	if k.source == nil {
		return nil
	}
	return &k.KeptSource
}

// Lost warns of clients that are kept and cannot be had under the policy.
func (k *Kept) Lost() rules.Problems {
	if k.lost == nil {
		return nil
	}
	return rules.Problems{{Pos: k.source.Pos, Msg: k.lost.Error() + "; a gateway that has them in force refuses it", Warning: true}}
}

// Directory is the clients.
func (k *Kept) Directory() *directory.Directory { return k.of }
