package assemble

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/tollgate-mail/tollgate/internal/config"
)

// Lists is the part that has the files of lists that were built: they are closed when
// nobody judges by a policy any more that looks into them.
type Lists struct {
	Log *slog.Logger // nil: nobody is told

	mu   sync.Mutex
	open map[*config.Config]*lease
	now  *config.Config // in force
}

// Prepare has the lists of the draft's policy stay open for it. One that is discarded
// closes them.
func (l *Lists) Prepare(_ context.Context, d *Draft) (Step, error) {
	giveBack := l.take(d.Config)
	d.OnRetire(giveBack)
	return step{commit: func() { l.set(d.Config) }, discard: giveBack}, nil
}

// take keeps the lists of a policy open until what it returns is called.
func (l *Lists) take(cfg *config.Config) (giveBack func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.open[cfg]
	if one == nil {
		one = &lease{}
		one.end = func() {
			delete(l.open, cfg)
			if err := cfg.Close(); err != nil && l.Log != nil {
				l.Log.Warn("a list cannot be closed", "error", err)
			}
		}
		if l.open == nil {
			l.open = make(map[*config.Config]*lease)
		}
		l.open[cfg] = one
	}
	one.take()
	return func() {
		l.mu.Lock() // who takes it meanwhile has one that is open, or makes another
		defer l.mu.Unlock()
		one.giveBack()
	}
}

func (l *Lists) set(cfg *config.Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = cfg
}

// Close closes the lists of all policies.
func (l *Lists) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for cfg := range l.open {
		errs = append(errs, cfg.Close())
	}
	clear(l.open)
	return errors.Join(errs...)
}

// ListStatus is how a list fares that stays in its file.
type ListStatus struct {
	Name      string `json:"name"`
	File      string `json:"file"`
	Entries   int    `json:"entries"`
	Failed    int64  `json:"failed"`     // look-ups that could not read it, since the policy came in force
	LastError string `json:"last_error"` // of the last of them; "" for none
}

// Status of the lists of the policy in force.
func (l *Lists) Status() []ListStatus {
	all := []ListStatus{}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil {
		return all
	}
	for _, b := range l.now.Built {
		s := ListStatus{Name: b.Name, File: b.Path, Entries: b.List.Len()}
		var err error
		if s.Failed, err = b.List.Failed(); err != nil {
			s.LastError = err.Error()
		}
		all = append(all, s)
	}
	return all
}
