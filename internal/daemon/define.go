package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/control"
	"github.com/tollgate-mail/tollgate/rules"
)

// ImportRequest asks to write definitions of clients into the store: all of
// them or, where one is wrong, none.
type ImportRequest struct {
	File    string       `json:"file"`
	Clients []ImportLine `json:"clients"`
	// Check writes nothing.
	Check bool `json:"check"`
	// Now has changes of tariffs hold at once, not from the next period on.
	Now bool `json:"now"`
}

// ImportLine is a definition: JSON with the keys of [[client]].
type ImportLine struct {
	Line int    `json:"line"` // of File
	Text string `json:"text"`
}

// ImportAnswer is what became of it.
type ImportAnswer struct {
	Clients  int          `json:"clients"` // written or, of a check, that could be
	Warnings []ProblemRow `json:"warnings"`
	Switched []string     `json:"switched"` // clients whose tariff holds from now on
}

// DisableRequest asks to disable or enable a client of the store.
type DisableRequest struct {
	ID       string `json:"id"`
	Disabled bool   `json:"disabled"`
}

// SwitchRequest asks to have a client's tariff hold from now on.
type SwitchRequest struct {
	ID string `json:"id"`
	// KeepNumber: also where a balance that is not 0 becomes one of another currency.
	KeepNumber bool `json:"keep_number"`
	// Force: to another currency also while a gateway has records that wait.
	Force bool `json:"force"`
}

// SwitchAnswer is what became of it.
type SwitchAnswer struct {
	Switched bool   `json:"switched"` // false: it was in force
	Tariff   string `json:"tariff"`   // "" for none
}

// followClients has the clients in force follow what their source says.
func (d *Daemon) followClients(ctx context.Context) {
	for {
		limited, cancel := context.WithTimeout(ctx, refreshTimeout)
		// Why it fails is in the log and the status.
		wait, _ := d.accounts.Refresh(limited)
		cancel()
		if pause(ctx, wait) != nil {
			return
		}
	}
}

const refreshTimeout = time.Minute

// keepAccounts keeps in the state folder what serves at a start without the
// store.
func (d *Daemon) keepAccounts(ctx context.Context) {
	said := ""
	for pause(ctx, time.Second) == nil {
		err := d.accounts.Save(time.Now())
		if err == nil {
			said = ""
		} else if text := err.Error(); text != said {
			d.log.Error(text)
			said = text
		}
	}
}

// definer is who has clients defined by commands.
func (d *Daemon) definer() (accounting.Definer, error) {
	to, err := d.accounts.Definer()
	if err != nil {
		return nil, refuse(err)
	}
	return to, nil
}

func (d *Daemon) answerImport(ctx context.Context, request json.RawMessage) (any, error) {
	var q ImportRequest
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, err
	}
	from, err := d.definer()
	if err != nil {
		return nil, err
	}
	// What is known must be what the store has now, or clashes are missed; an
	// empty store is no error here.
	if _, err := from.ClientsVersion(ctx); err != nil {
		return nil, storeAway(err)
	}
	_, _ = d.accounts.Refresh(ctx)
	list := make([]config.Definition, len(q.Clients))
	for i, c := range q.Clients {
		list[i] = config.Definition{Text: c.Text, Pos: rules.Pos{File: q.File, Line: c.Line}}
	}
	out, problems := d.accounts.Check(list)
	rows := ProblemRows(problems)
	if problems.Err() != nil {
		return nil, refuseRows("the clients are not written: there is an error", rows)
	}
	answer := ImportAnswer{Clients: len(out), Warnings: rows, Switched: []string{}}
	if q.Check || len(out) == 0 {
		return answer, nil
	}
	if err := from.Define(ctx, out); err != nil {
		return nil, &control.Refusal{Code: CodeAway, Message: "not all clients may have been written; give the command again: " + err.Error()}
	}
	d.log.Info("clients were written to the store", "clients", len(out), "file", q.File, "by", control.User(ctx))
	if _, err := d.accounts.Refresh(ctx); err != nil {
		return nil, storeAway(err)
	}
	for _, one := range out {
		if !q.Now {
			break
		}
		switched, err := d.switchTariff(ctx, SwitchRequest{ID: one.ID})
		if refused := (*control.Refusal)(nil); errors.As(err, &refused) && refused.Code == CodeRequest {
			// It is written, and the others are to be switched nevertheless.
			answer.Warnings = append(answer.Warnings, ProblemRow{File: q.File, Severity: "warning", Message: "not from now on: " + refused.Message})
			continue
		}
		if err != nil {
			return nil, err
		}
		if switched.Switched {
			answer.Switched = append(answer.Switched, one.ID)
		}
	}
	return answer, nil
}

func (d *Daemon) answerDisable(ctx context.Context, request json.RawMessage) (any, error) {
	var q DisableRequest
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, err
	}
	for _, c := range d.config().Clients {
		if c.ID == q.ID {
			return nil, refuse(fmt.Errorf("client %q stands in the policy: change it there", q.ID))
		}
	}
	from, err := d.definer()
	if err != nil {
		return nil, err
	}
	const tries = 3 // somebody else may change it, too
	for try := 1; ; try++ {
		if _, err := d.accounts.Refresh(ctx); err != nil {
			return nil, storeAway(err)
		}
		was, ok := d.accounts.Defined(q.ID)
		if !ok {
			return nil, refuse(fmt.Errorf("there is no client %q", q.ID))
		}
		text, err := config.WithDisabled(was, q.Disabled)
		if err != nil {
			return nil, err
		}
		err = from.Redefine(ctx, q.ID, was, text)
		if errors.Is(err, accounting.ErrChanged) && try < tries {
			continue
		}
		if errors.Is(err, accounting.ErrChanged) {
			return nil, refuse(fmt.Errorf("%w: it cannot be read, or is changed all the time; see %q", err, "tollgate status"))
		}
		if err != nil {
			return nil, storeAway(err)
		}
		break
	}
	d.log.Info("a client was changed in the store", "client", q.ID, "disabled", q.Disabled, "by", control.User(ctx))
	if _, err := d.accounts.Refresh(ctx); err != nil {
		return nil, storeAway(err)
	}
	return q, nil
}

func (d *Daemon) answerSwitch(ctx context.Context, request json.RawMessage) (any, error) {
	var q SwitchRequest
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, err
	}
	return d.switchTariff(ctx, q)
}

// switchTariff puts a client under the tariff that its definition names, from
// now on.
func (d *Daemon) switchTariff(ctx context.Context, q SwitchRequest) (SwitchAnswer, error) {
	id := q.ID
	l, err := d.ledger()
	if err != nil {
		return SwitchAnswer{}, err
	}
	dir := d.accounts.Live.Snapshot()
	if dir == nil || dir.Client(id) == nil {
		return SwitchAnswer{}, refuse(fmt.Errorf("there is no client %q", id))
	}
	c := dir.Client(id)
	want := price.Plan{Period: accounting.ByMonth, Zone: d.config().Location.String()}
	if t := d.accounts.Book.Find(c.TariffVersion); t != nil {
		want = t.Plan()
	}
	const tries = 10 // records may tell of tariffs meanwhile
	for range tries {
		was, err := l.Plans(ctx, id)
		if err != nil {
			return SwitchAnswer{}, storeAway(err)
		}
		plans, err := price.ParsePlans(was)
		if err != nil {
			return SwitchAnswer{}, storeAway(err)
		}
		next, err := plans.Switch(want, time.Now())
		switch {
		case err != nil:
			return SwitchAnswer{}, refuse(fmt.Errorf("client %q: %w", id, err))
		case next.String() == was:
			return SwitchAnswer{Tariff: want.Tariff}, nil
		}
		if err := d.mayChange(ctx, l, q, plans, want); err != nil {
			return SwitchAnswer{}, err
		}
		if err := d.mayRelabel(ctx, l, q, plans, want); err != nil {
			return SwitchAnswer{}, err
		}
		done, err := l.SetPlans(ctx, id, was, next.String())
		if err != nil {
			return SwitchAnswer{}, storeAway(err)
		}
		if done {
			// What was used counts in other periods from now on, which the store tells all
			// gateways; the fee of the one that has begun is another.
			d.charger.Again(id)
			d.log.Info("a tariff holds from now on", "client", id, "tariff", want.Tariff, "by", control.User(ctx))
			return SwitchAnswer{Switched: true, Tariff: want.Tariff}, nil
		}
	}
	return SwitchAnswer{}, refuse(fmt.Errorf("the tariffs of client %q change all the time; try again", id))
}

// mayRelabel refuses what makes a balance one of another currency, unless that is
// what was asked for.
func (d *Daemon) mayRelabel(ctx context.Context, l accounting.Ledger, q SwitchRequest, plans price.Plans, want price.Plan) error {
	account, err := l.Account(ctx, q.ID)
	if err != nil {
		return storeAway(err)
	}
	switch err := plans.Relabels(want, account.Balance, time.Now()); {
	case err == nil:
		return nil
	case !q.KeepNumber:
		return refuse(fmt.Errorf("client %q: %w, or switch with --keep-number", q.ID, err))
	}
	d.log.Warn("a balance is of another currency from now on, its number stays", "client", q.ID, "balance", account.Balance,
		"from", plans.CurrencyAt(time.Now()), "to", want.Currency, "by", control.User(ctx))
	return nil
}
