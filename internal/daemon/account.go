package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/control"
)

// ClientRow is a client and how its account stands.
type ClientRow struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	Logins    []string `json:"logins"`   // whose outbound mail is charged to it
	Networks  []string `json:"networks"` // and from where
	Blocks    string   `json:"blocks"`   // the reasons why it may not receive now; "" for none
	Tariff    string   `json:"tariff"`   // in force now
	// Next is the tariff of the policy, where that is another: it holds from the
	// next period on. NoTariff where it has none any more.
	Next string `json:"next_tariff,omitempty"`
	// NextCurrency is that of Next, where a balance that is not 0 would become one of
	// it: to be settled before.
	NextCurrency string `json:"next_currency,omitempty"`
	// Gone: it is not defined any more, and its account is still there.
	Gone bool `json:"gone,omitempty"`
	// Problem is why its account cannot be read; sums say nothing then.
	Problem     string `json:"problem,omitempty"`
	Mode        string `json:"mode"`
	Balance     int64  `json:"balance"` // millionths of the currency unit, as credit_limit
	CreditLimit int64  `json:"credit_limit"`
	HasCredit   bool   `json:"has_credit_limit"` // it is set: postpaid it refuses beyond, also one of 0
	Currency    string `json:"currency"`
	Period      string `json:"period"`
	Zone        string `json:"zone,omitempty"` // that the period is cut in, where it is known
	Used        int64  `json:"used"`           // charged bytes in the period
	Quota       int64  `json:"quota"`          // 0: none
	Day         string `json:"day"`
	UsedDay     int64  `json:"used_day"`
	QuotaDay    int64  `json:"quota_day"`
}

// NoTariff stands for none where something is said of what is to come. No tariff has
// such a name.
const NoTariff = "-"

// ClientsRequest asks for one client, or with "" for all.
type ClientsRequest struct {
	ID string `json:"id"`
}

// EntryRequest asks to book a payment or an adjustment.
type EntryRequest struct {
	Kind     string `json:"kind"` // accounting.Payment, accounting.Adjust
	Client   string `json:"client"`
	Amount   int64  `json:"amount"` // millionths; of a reversal it follows
	ID       string `json:"id"`     // "": one is made
	Note     string `json:"note"`
	Reverses string `json:"reverses"`
}

// EntryAnswer is what became of it.
type EntryAnswer struct {
	ID       string `json:"id"`
	Booked   bool   `json:"booked"` // false: it was booked before
	Amount   int64  `json:"amount"`
	Balance  int64  `json:"balance"`
	Currency string `json:"currency"`
	// BalanceCurrency is the balance's, where that is another by now.
	BalanceCurrency string `json:"balance_currency,omitempty"`
}

// RebookedAnswer is what the store had forgotten, and is booked again by somebody's word.
type RebookedAnswer struct {
	Settled []string `json:"settled"`
}

// StatementRequest asks for a report.Statement.
type StatementRequest struct {
	Client string `json:"client"`
	Period string `json:"period"`
}

// CloseRequest asks to close a period; the answer is an accounting.Close.
type CloseRequest struct {
	Period string `json:"period"`
	Force  bool   `json:"force"`
	// Archive is a folder that gets a file with the records; "" for none.
	Archive string `json:"archive"`
	// Overlapping: also where a closed period has days of it.
	Overlapping bool `json:"overlapping"`
}

// CloseAnswer is the seal of a period.
type CloseAnswer struct {
	accounting.Close
	Verified bool `json:"verified"` // it was closed before
	// Overlaps are closed periods that have days of it: nothing was closed.
	Overlaps []string `json:"overlaps,omitempty"`
}

// CodeRequest is the code of what cannot be asked for like this.
const CodeRequest = "request"

func refuse(err error) error { return &control.Refusal{Code: CodeRequest, Message: err.Error()} }

func storeAway(err error) error {
	return &control.Refusal{Code: CodeAway, Message: "the store cannot be read: " + err.Error()}
}

// ledger of the store.
func (d *Daemon) ledger() (accounting.Ledger, error) {
	l, ok := d.store.(accounting.Ledger)
	if !ok {
		return nil, errors.New("this store keeps no accounts")
	}
	return l, nil
}

// accountAnswers are those about clients' accounts.
func (d *Daemon) accountAnswers(to map[string]control.Handler) map[string]control.Handler {
	to[CmdClients] = d.answerClients
	to[CmdEntry] = control.Privileged(d.answerEntry)
	to[CmdRebooked] = control.Privileged(d.answerRebooked)
	to[CmdStatement] = d.answerStatement
	to[CmdAudit] = d.answerAudit
	to[CmdAccept] = control.Privileged(d.answerAccept)
	to[CmdImport] = control.Privileged(d.answerImport)
	to[CmdDisable] = control.Privileged(d.answerDisable)
	to[CmdSwitch] = control.Privileged(d.answerSwitch)
	to[CmdClose] = control.Privileged(d.answerClose)
	return to
}

func (d *Daemon) answerClients(ctx context.Context, request json.RawMessage) (any, error) {
	var r ClientsRequest
	if err := json.Unmarshal(request, &r); err != nil {
		return nil, err
	}
	l, err := d.ledger()
	if err != nil {
		return nil, err
	}
	dir := d.accounts.Live.Snapshot()
	if dir == nil {
		return nil, &control.Refusal{Code: CodeAway, Message: "no clients are known yet"}
	}
	list := slices.Clone(dir.Clients())
	gone, err := d.gone(ctx, l, r.ID)
	if err != nil {
		return nil, storeAway(err)
	}
	if r.ID != "" {
		c := dir.Client(r.ID)
		if c == nil && len(gone) == 0 {
			return nil, refuse(errors.New(noClient(r.ID, dir)))
		}
		if list = nil; c != nil {
			list = []*accounting.Client{c}
		}
	}
	known := len(list)
	list = append(list, gone...)
	now := time.Now()
	ask := make([]accounting.Standing, len(list))
	for i, c := range list {
		ask[i] = accounting.Standing{Client: c.ID, Period: c.PeriodAt(now), Day: c.DayAt(now)}
	}
	standings, err := l.Standings(ctx, ask)
	if err != nil {
		return nil, storeAway(err)
	}
	ids := make([]string, len(list))
	for i, c := range list {
		ids[i] = c.ID
	}
	accounts, err := l.Accounts(ctx, ids)
	if err != nil {
		return nil, storeAway(err)
	}
	rows := make([]ClientRow, len(list))
	for i, c := range list {
		account, s := accounts[i], standings[i]
		rows[i] = ClientRow{
			Gone: i >= known, Zone: s.Zone,
			ID: c.ID, Name: c.Name, Addresses: append([]string{}, c.Addresses...), Logins: append([]string{}, c.Logins...), Networks: texts(c.Networks),
			Blocks: d.accounts.Live.Blocks(c, now).String(), // as at RCPT
			Tariff: account.Tariff, Mode: c.Mode.String(), Balance: s.Balance, CreditLimit: c.CreditLimit, HasCredit: c.HasCredit, Currency: account.Currency,
			Period: s.Period, Used: s.Used, Quota: c.Quota, Day: s.Day, UsedDay: s.UsedDay, QuotaDay: c.QuotaDay,
		}
		if err := errors.Join(account.Err, s.Err); err != nil {
			rows[i].Problem = err.Error()
			continue
		}
		if i >= known {
			rows[i].Blocks = ""
			continue
		}
		if t := d.accounts.Book.Find(c.TariffVersion); t != nil {
			switch {
			case account.Tariff == "":
				rows[i].Tariff, rows[i].Currency = t.Name, t.Currency
			case account.Tariff != t.Name, account.Currency != t.Currency:
				rows[i].Next = t.Name
				if s.Balance != 0 && account.Currency != t.Currency {
					rows[i].NextCurrency = t.Currency
				}
			}
		} else if account.Tariff != "" {
			rows[i].Next = NoTariff
		}
	}
	return rows, nil
}

// gone are clients that are defined no more, and have an account in which something
// stands: of all those whose balance is not 0, of one that is asked for any.
func (d *Daemon) gone(ctx context.Context, l accounting.Ledger, id string) (list []*accounting.Client, err error) {
	dir := d.accounts.Live.Snapshot()
	if dir == nil || id != "" && (dir.Client(id) != nil || accounting.CheckID(id) != nil) {
		return nil, nil
	}
	var ids []string
	if id != "" {
		periods, err := l.Periods(ctx, id)
		if err != nil || len(periods) == 0 {
			return nil, err
		}
		ids = []string{id}
	} else if ids, err = l.Clients(ctx); err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return dir.Client(id) != nil || accounting.CheckID(id) != nil })
	accounts, err := l.Accounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		if id != "" || a.Balance != 0 || a.Err != nil {
			list = append(list, &accounting.Client{ID: a.Client, Location: d.config().Location})
		}
	}
	return list, nil
}

func texts(networks []netip.Prefix) []string {
	all := make([]string, len(networks))
	for i, p := range networks {
		all[i] = p.String()
	}
	return all
}
