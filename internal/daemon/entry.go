package daemon

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/control"
)

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
		// The money of one that is gone can be settled all the same.
		gone, err := d.gone(ctx, l, q.Client)
		if err != nil {
			return nil, storeAway(err)
		}
		if len(gone) == 0 {
			return nil, refuse(errors.New(noClient(q.Client, dir)))
		}
	}
	if q.Kind != accounting.Payment && q.Kind != accounting.Adjust {
		return nil, refuse(fmt.Errorf("unknown kind %q", q.Kind))
	}
	var reversed *accounting.Record
	if q.Reverses != "" {
		books, err := d.statementBooks(ctx)
		if err != nil {
			return nil, storeAway(err)
		}
		was, err := findEntry(ctx, books, q.Client, q.Reverses)
		if err != nil {
			return nil, storeAway(err)
		}
		if was == nil {
			return nil, refuse(fmt.Errorf("client %q has no payment and no adjustment %q", q.Client, q.Reverses))
		}
		amount, err := strconv.ParseInt(was.Amount, 10, 64)
		if err != nil {
			return nil, storeAway(err)
		}
		q.Amount, reversed = -amount, was
		if q.ID == "" {
			q.ID = "reverse/" + q.Reverses // a second time it is known
		}
	}
	if err := plainEntry(&q); err != nil {
		return nil, refuse(err)
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
	balance := currency
	if reversed != nil {
		// What is taken back is of the currency that it was booked in.
		currency = cmp.Or(reversed.Currency, currency)
	}
	r := accounting.Record{
		ID: q.ID, Kind: q.Kind, Time: time.Now().UTC().Truncate(time.Millisecond), Gateway: d.config().Gate.Gateway,
		Client: q.Client, Amount: strconv.FormatInt(q.Amount, 10), Currency: currency, By: control.User(ctx), Note: q.Note, Reverses: q.Reverses,
	}
	if err := r.Check(); err != nil {
		return nil, refuse(err)
	}
	// A new client is under its tariff from now on, not from its first message on.
	if dir := d.accounts.Live.Snapshot(); dir != nil && dir.Client(q.Client) != nil {
		if err := price.Under(ctx, l, q.Client, d.accounts.Book.Find(dir.Client(q.Client).TariffVersion), r.Time); err != nil {
			return nil, storeAway(err)
		}
	}
	booked, err := l.Enter(ctx, r)
	switch {
	case errors.Is(err, accounting.ErrConflict):
		return nil, refuse(d.conflict(ctx, q, err))
	case errors.Is(err, accounting.ErrReversed), errors.Is(err, accounting.ErrCurrency):
		return nil, refuse(err)
	case errors.Is(err, accounting.ErrAtRisk):
		return nil, &control.Refusal{Code: CodeAway, Message: fmt.Sprintf("%v; ask again with the id %s until it is booked in all of them", err, q.ID)}
	case err != nil:
		return nil, &control.Refusal{Code: CodeAway, Message: fmt.Sprintf("whether it was booked is not known; ask again with the same id (%s): %v", q.ID, err)}
	}
	d.log.Info("an entry of an account", "client", r.Client, "id", r.ID, "kind", r.Kind, "amount", r.Amount, "by", r.By, "booked", booked)
	account, err := l.Account(ctx, q.Client)
	if err != nil {
		return nil, storeAway(err)
	}
	answer := EntryAnswer{ID: r.ID, Booked: booked, Amount: q.Amount, Balance: account.Balance, Currency: r.Currency}
	if balance != r.Currency {
		answer.BalanceCurrency = balance
	}
	return answer, nil
}

// answerRebooked has what the store has forgotten told no longer.
func (d *Daemon) answerRebooked(ctx context.Context, _ json.RawMessage) (any, error) {
	was, err := d.lost.Settle()
	if err != nil {
		return nil, err
	}
	for _, what := range was {
		d.log.Warn("what the store has forgotten was booked again, it is said", "what", what, "by", control.User(ctx))
	}
	return RebookedAnswer{Settled: append([]string{}, was...)}, nil
}

// currencyOf is the one that a client's balance is in: of the last tariff that it had
// or, where it never had one, of the policy's.
func (d *Daemon) currencyOf(ctx context.Context, l accounting.Ledger, client string) (string, error) {
	text, err := l.Plans(ctx, client)
	if err != nil {
		return "", err
	}
	plans, err := price.ParsePlans(text)
	if err != nil {
		return "", err
	}
	if currency := plans.CurrencyAt(time.Now()); currency != "" {
		return currency, nil
	}
	if c := d.accounts.Live.Snapshot().Client(client); c != nil {
		if t := d.accounts.Book.Find(c.TariffVersion); t != nil {
			return t.Currency, nil
		}
	}
	return "", nil
}

// findEntry finds a payment or an adjustment; nil for none.
func findEntry(ctx context.Context, l accounting.Ledger, client, id string) (*accounting.Record, error) {
	periods, err := l.Periods(ctx, client)
	if err != nil {
		return nil, err
	}
	var found *accounting.Record
	for i := len(periods) - 1; i >= 0 && found == nil; i-- {
		err := l.RecordsOf(ctx, client, periods[i], func(r accounting.Record) error {
			if r.ID == id && (r.Kind == accounting.Payment || r.Kind == accounting.Adjust) {
				found = &r
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// plainEntry tells what of an entry would not be told apart, or not be shown, by who
// reads it later.
func plainEntry(q *EntryRequest) error {
	if q.ID != strings.TrimSpace(q.ID) {
		return fmt.Errorf("id %q: it begins or ends with a blank, and would be another one without it", q.ID)
	}
	for what, text := range map[string]string{"id": q.ID, "note": q.Note} {
		if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }); i >= 0 {
			return fmt.Errorf("%s %q: character %d cannot be printed in a statement: write it in one line of plain text", what, text, utf8.RuneCountInString(text[:i])+1)
		}
	}
	if q.Amount == 0 && q.Reverses == "" {
		return errors.New("a sum of 0 changes nothing: it is not booked")
	}
	return nil
}

// conflict says for what an id was used.
func (d *Daemon) conflict(ctx context.Context, q EntryRequest, err error) error {
	books, failed := d.statementBooks(ctx)
	if failed != nil {
		return err
	}
	was, failed := findEntry(ctx, books, q.Client, q.ID)
	if failed != nil || was == nil {
		return err
	}
	amount, failed := strconv.ParseInt(was.Amount, 10, 64)
	if failed != nil {
		return err
	}
	return fmt.Errorf("%w: %s of %s of %s by %s", err, was.Kind, strings.TrimSpace(price.FormatMoney(amount)+" "+was.Currency),
		was.Time.In(d.config().Location).Format(time.DateTime), was.By)
}
