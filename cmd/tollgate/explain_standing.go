package main

import (
	"context"
	"slices"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/directory"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// What Explanation.Standing says.
const (
	asked    = "asked"
	notAsked = "not asked"
)

// standing is how clients' accounts stand, as the daemon has them; the zero value:
// it was not asked.
type standing struct {
	all  []accounting.Standing
	used map[string]trial.Used
}

// standingOf asks the daemon how accounts stand. A client that the daemon does not
// have yet stands as one whose account is empty.
func (a *app) standingOf(ctx context.Context, cfg *config.Config, dir *directory.Directory) (standing, error) {
	var rows []daemon.ClientRow
	if err := a.ask(ctx, cfg.StateDir, daemon.CmdClients, daemon.ClientsRequest{}, &rows); err != nil {
		return standing{}, err
	}
	s := standing{all: []accounting.Standing{}, used: make(map[string]trial.Used, len(rows))}
	for _, r := range rows {
		s.used[r.ID] = trial.Used{Bytes: r.Used, Tariff: r.Tariff}
		s.all = append(s.all, accounting.Standing{Client: r.ID, Balance: r.Balance, Period: r.Period, Zone: r.Zone, Used: r.Used, Day: r.Day, UsedDay: r.UsedDay})
	}
	for _, c := range dir.Clients() {
		if _, known := s.used[c.ID]; !known {
			s.all = append(s.all, accounting.Standing{Client: c.ID})
		}
	}
	return s, nil
}

// said is what an explanation says of it.
func (s standing) said(dir *directory.Directory) string {
	switch {
	case s.all != nil:
		return asked
	case slices.ContainsFunc(dir.Clients(), (*accounting.Client).Limited):
		return notAsked
	}
	return ""
}
