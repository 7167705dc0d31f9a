package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/backup"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/durable"
	"github.com/tollgate-mail/tollgate/internal/history"
)

// ReloadRequest asks for the policy to be put in force.
type ReloadRequest struct {
	Message string `json:"message"` // why, for the history
	How     string `json:"how"`     // history.Rollback, history.Promote; "" for a reload
	// Approve: only what somebody else has proposed.
	Approve bool `json:"approve"`
	// Version: only this one; "" for any.
	Version string `json:"version"`
}

// ProposeRequest proposes the policy as its files are now.
type ProposeRequest struct {
	Message string `json:"message"`
}

// Proposal is a policy that waits for somebody's approval.
type Proposal struct {
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
	By      string    `json:"by"`
	Message string    `json:"message"`
}

// CmdPropose takes ProposeRequest, answers Proposal.
const CmdPropose = "propose"

// proposalName is the file of the state folder with the proposal.
const proposalName = "proposed.json"

// mostMessage bounds what somebody says about a policy, in octets.
const mostMessage = 4096

// policyAnswers adds those about the policy.
func (d *Daemon) policyAnswers(all map[string]control.Handler) map[string]control.Handler {
	all[CmdPropose] = d.answerPropose
	all[CmdShadow] = control.Privileged(d.answerShadow)
	all[CmdCanary] = d.answerCanary
	all[CmdCanaryStart] = control.Privileged(d.answerCanaryStart)
	all[CmdCanaryStop] = control.Privileged(d.answerCanaryStop)
	all[CmdSnapshot] = control.Privileged(d.answerSnapshot)
	return all
}

// anyPolicy allows every policy.
func anyPolicy(*config.Config) error { return nil }

func (d *Daemon) answerReload(ctx context.Context, request json.RawMessage) (any, error) {
	var r ReloadRequest
	if len(request) > 0 {
		if err := json.Unmarshal(request, &r); err != nil {
			return nil, err
		}
	}
	why := history.Entry{How: history.Reload, By: control.User(ctx), Message: r.Message[:min(len(r.Message), mostMessage)]}
	if r.How == history.Rollback || r.How == history.Promote {
		why.How = r.How
	}
	allowed := anyPolicy
	if r.Version != "" {
		allowed = func(c *config.Config) error {
			if c.Gate.Version != r.Version {
				return refuse(fmt.Errorf("the files are version %s, not %s: somebody has changed them meanwhile", c.Gate.Version, r.Version))
			}
			return nil
		}
	}
	if r.Approve {
		p, err := d.proposal()
		if err != nil {
			return nil, refuse(err)
		}
		if p.By == why.By {
			return nil, refuse(fmt.Errorf("version %s was proposed by %s: somebody else has to approve it", p.Version, p.By))
		}
		if why.Proposed = p.By; why.Message == "" {
			why.Message = p.Message
		}
		allowed = func(c *config.Config) error {
			if c.Gate.Version != p.Version {
				return refuse(fmt.Errorf("the files are version %s, proposed was %s: they were changed since", c.Gate.Version, p.Version))
			}
			return nil
		}
	}
	done, err := d.reload(ctx, why, allowed)
	if err == nil && r.Approve {
		err = os.Remove(filepath.Join(d.config().StateDir, proposalName))
	}
	return done, err
}

// answerPropose checks the policy as a reload would, and keeps which one it was.
func (d *Daemon) answerPropose(ctx context.Context, request json.RawMessage) (any, error) {
	var r ProposeRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	unlock, err := d.lockPolicy(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	next, rows, good := d.load(d.file)
	if !good {
		return nil, refusePolicy(rows)
	}
	old := d.config()
	next.Listen, next.StateDir, next.Redis, next.Location = old.Listen, old.StateDir, old.Redis, old.Location
	change, err := assemble.Prepare(ctx, next, d.running)
	if err != nil {
		return nil, refusePolicy([]ProblemRow{{File: d.file, Severity: "error", Message: err.Error()}})
	}
	change.Discard()
	p := Proposal{Version: next.Gate.Version, Time: time.Now().UTC(), By: control.User(ctx), Message: r.Message[:min(len(r.Message), mostMessage)]}
	text, err := json.Marshal(p)
	if err == nil {
		err = durable.Replace(filepath.Join(old.StateDir, proposalName), text, 0o640)
	}
	if err != nil {
		return nil, refuse(fmt.Errorf("the proposal cannot be kept: %w", err))
	}
	return p, nil
}

func (d *Daemon) proposal() (p Proposal, err error) {
	text, err := os.ReadFile(filepath.Join(d.config().StateDir, proposalName))
	if errors.Is(err, fs.ErrNotExist) {
		return p, errors.New(`nothing is proposed: "tollgate reload --propose" does`)
	}
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	return p, err
}

// kept is what became of a policy's entry in the history.
type kept struct {
	entry  history.Entry
	new    bool
	failed error
}

func (k kept) problem() string {
	if k.failed == nil {
		return ""
	}
	return k.failed.Error()
}

// keepPolicy adds a policy to the history. Without room for it mail goes on: the
// policy is in force, and the next reload tries again.
func (d *Daemon) keepPolicy(c *config.Config, why history.Entry) (k kept) {
	why.Time, why.File, why.Tollgate = time.Now().UTC().Truncate(time.Millisecond), d.file, d.version
	k.entry, k.new, k.failed = d.history.Keep(c, why)
	c.Forget()
	if k.failed != nil {
		k.entry.Number = 0
		d.log.Error("the policy in force is not kept in the history", "version", c.Gate.Version, "error", k.failed)
	}
	return k
}

// CmdSnapshot answers Snapshot.
const CmdSnapshot = "snapshot"

// Snapshot is a folder with copies of the databases that are in use, under their
// names in the state folder. Who asked for it removes it.
type Snapshot struct {
	Dir     string `json:"dir"`
	Version string `json:"version"` // of the policy in force
}

// snapshooter is a database that can be copied while it is in use.
type snapshooter interface{ Snapshot(w io.Writer) error }

// linker is a store that has files of records besides, of which it makes links in
// a folder.
type linker interface{ Link(dir string) error }

func (d *Daemon) answerSnapshot(context.Context, json.RawMessage) (any, error) {
	cfg := d.config()
	dir, err := os.MkdirTemp(cfg.StateDir, backup.Snapshots)
	if err != nil {
		return nil, refuse(err)
	}
	if s, ok := d.store.(snapshooter); ok {
		err = copied(s, filepath.Join(dir, filepath.Base(d.storeIs.Place)))
	}
	if s, ok := d.store.(linker); err == nil && ok {
		err = s.Link(dir)
	}
	if s := d.memories.Snapshooter(); err == nil && s != nil {
		err = copied(s, filepath.Join(dir, d.memories.File()))
	}
	if err != nil {
		return nil, refuse(fmt.Errorf("the store cannot be copied: %w", errors.Join(err, os.RemoveAll(dir))))
	}
	return Snapshot{Dir: dir, Version: cfg.Gate.Version}, nil
}

func copied(s snapshooter, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	return errors.Join(s.Snapshot(f), f.Close())
}

// dropSnapshots removes those that a backup has left.
func dropSnapshots(stateDir string) error {
	dirs, err := filepath.Glob(filepath.Join(stateDir, backup.Snapshots+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

// Counts are how large a policy is.
type Counts struct {
	Rules      int `json:"rules"` // the enabled ones
	Thresholds int `json:"thresholds"`
	Lists      int `json:"lists"`
	Clients    int `json:"clients"`
}

// CountsOf a policy.
func CountsOf(cfg *config.Config) Counts {
	return Counts{
		Rules:      len(cfg.Gate.Rules.Rules()),
		Thresholds: len(cfg.Gate.Rules.Thresholds(math.MaxInt64)),
		Lists:      cfg.Lists,
		Clients:    len(cfg.Gate.Directory.Clients()),
	}
}

func (c Counts) String() string {
	return fmt.Sprintf("%s, %s, %s, %s", Plural(c.Rules, "rule"), Plural(c.Thresholds, "threshold"), Plural(c.Lists, "list"), Plural(c.Clients, "client"))
}

// Plural is so many of something, in words.
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
