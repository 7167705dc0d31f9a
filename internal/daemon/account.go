package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
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
	Mode         string `json:"mode"`
	Balance      int64  `json:"balance"` // millionths of the currency unit, as credit_limit
	CreditLimit  int64  `json:"credit_limit"`
	HasCredit    bool   `json:"has_credit_limit"` // it is set: postpaid it refuses beyond, also one of 0
	Currency     string `json:"currency"`
	Period       string `json:"period"`
	Used         int64  `json:"used"`  // charged bytes in the period
	Quota        int64  `json:"quota"` // 0: none
	Day          string `json:"day"`
	UsedDay      int64  `json:"used_day"`
	QuotaDay     int64  `json:"quota_day"`
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
	list := dir.Clients()
	if r.ID != "" {
		c := dir.Client(r.ID)
		if c == nil {
			return nil, refuse(fmt.Errorf("there is no client %q", r.ID))
		}
		list = []*accounting.Client{c}
	}
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
			ID: c.ID, Name: c.Name, Addresses: append([]string{}, c.Addresses...), Logins: append([]string{}, c.Logins...), Networks: texts(c.Networks),
			Blocks: d.accounts.Live.Blocks(c, now).String(), // as at RCPT
			Tariff: account.Tariff, Mode: c.Mode.String(), Balance: s.Balance, CreditLimit: c.CreditLimit, HasCredit: c.HasCredit, Currency: account.Currency,
			Period: s.Period, Used: s.Used, Quota: c.Quota, Day: s.Day, UsedDay: s.UsedDay, QuotaDay: c.QuotaDay,
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

func (d *Daemon) answerEntry(ctx context.Context, request json.RawMessage) (any, error) {
	var q EntryRequest
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, err
	}
	l, err := d.ledger()
	if err != nil {
		return nil, err
	}
	if dir := d.accounts.Live.Snapshot(); dir == nil || dir.Client(q.Client) == nil {
		return nil, refuse(fmt.Errorf("there is no client %q", q.Client))
	}
	if q.Kind != accounting.Payment && q.Kind != accounting.Adjust {
		return nil, refuse(fmt.Errorf("unknown kind %q", q.Kind))
	}
	if q.Reverses != "" {
		books, err := d.statementBooks(ctx)
		if err != nil {
			return nil, storeAway(err)
		}
		was, err := findEntry(ctx, books, q.Client, q.Reverses)
		if err != nil {
			return nil, err
		}
		q.Amount = -was
		if q.ID == "" {
			q.ID = "reverse/" + q.Reverses // a second time it is known
		}
	}
	if strings.HasPrefix(q.ID, accounting.FeePrefix) || strings.ContainsRune(q.ID, 0) {
		// The fee would be taken for booked.
		return nil, refuse(fmt.Errorf("id %q: those that begin with %s are of fees", q.ID, accounting.FeePrefix))
	}
	if q.ID == "" {
		var b [8]byte
		_, _ = rand.Read(b[:]) // it never fails
		q.ID = q.Kind + "/" + time.Now().UTC().Format("20060102T150405Z") + "/" + hex.EncodeToString(b[:])
	}
	currency, err := d.currencyOf(ctx, l, q.Client)
	if err != nil {
		return nil, storeAway(err)
	}
	r := accounting.Record{
		ID: q.ID, Kind: q.Kind, Time: time.Now().UTC().Truncate(time.Millisecond), Gateway: d.config().Gate.Gateway,
		Client: q.Client, Amount: strconv.FormatInt(q.Amount, 10), Currency: currency, By: control.User(ctx), Note: q.Note, Reverses: q.Reverses,
	}
	if err := r.Check(); err != nil {
		return nil, refuse(err)
	}
	booked, err := l.Enter(ctx, r)
	switch {
	case errors.Is(err, accounting.ErrConflict), errors.Is(err, accounting.ErrReversed), errors.Is(err, accounting.ErrCurrency):
		return nil, refuse(err)
	case err != nil:
		return nil, &control.Refusal{Code: CodeAway, Message: "whether it was booked is not known; ask again with the same id: " + err.Error()}
	}
	d.log.Info("an entry of an account", "client", r.Client, "id", r.ID, "kind", r.Kind, "amount", r.Amount, "by", r.By, "booked", booked)
	account, err := l.Account(ctx, q.Client)
	if err != nil {
		return nil, storeAway(err)
	}
	return EntryAnswer{ID: r.ID, Booked: booked, Amount: q.Amount, Balance: account.Balance, Currency: r.Currency}, nil
}

func texts(networks []netip.Prefix) []string {
	all := make([]string, len(networks))
	for i, p := range networks {
		all[i] = p.String()
	}
	return all
}
