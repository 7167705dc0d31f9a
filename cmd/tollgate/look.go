package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/internal/daemon"
	"github.com/tollgate-mail/tollgate/internal/journal"
)

// lookTime is how long a daemon may take to write that somebody looked.
const lookTime = 2 * time.Second

// looked writes to the journal that this command shows other people's mail: by the
// daemon, which knows who asks, else here, where the files may be written. Whoever may
// read the files can read them by other means as well: it is no lock.
func (a *app) looked(ctx context.Context, stateDir, dir string, r daemon.LookRequest) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	err := control.NewClient(stateDir).Call(ctx, daemon.CmdLook, r, nil)
	if err == nil {
		return
	}
	if !errors.Is(err, control.ErrNoDaemon) && !errors.Is(err, control.ErrDenied) {
		return // it is in the daemon's log
	}
	e := journal.Entry{Time: time.Now(), Ref: r.Ref, By: control.UserName(os.Getuid()), Event: r.Command, Detail: r.What}
	_ = journal.Look(dir, &e) // not every reader may write there
}

// lookedHere is looked of the policy's own journals.
func (a *app) lookedHere(ctx context.Context, r daemon.LookRequest) {
	if places, err := a.lookingPlaces(); err == nil {
		a.looked(ctx, places.StateDir, places.JournalDir, r)
	}
}
