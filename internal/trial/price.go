package trial

import (
	"fmt"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/config"
)

// Used is what a client has used of its period before, and the tariff that it is under,
// where that is another than the policy says, from its next period on: "" where not.
type Used struct {
	Bytes, Deliveries int64
	Tariff            string
}

// Price fills in what records would cost: of a period in which so much was used
// before, by client; nothing of those that used does not name. A record without
// a tariff has no price, nor one of a tariff that the policy has no more.
func Price(cfg *config.Config, records []accounting.Record, used map[string]Used) error {
	desk := price.Desk{Book: price.NewBook(cfg.Tariffs...), Location: cfg.Location}
	now := make(map[string]Used, len(used))
	for id, u := range used {
		now[id] = u
	}
	for i := range records {
		r := &records[i]
		if under := now[r.Client].Tariff; under != "" && under != r.Tariff {
			r.Tariff, r.TariffVersion = "", ""
			if t := desk.Book.Named(under); t != nil {
				r.Tariff, r.TariffVersion = t.Name, t.Version()
			}
		}
		posting, _, err := desk.Post(r, nil, r.Time)
		if err != nil {
			return fmt.Errorf("the price of %s: %w", r.Recipient, err)
		}
		u := now[r.Client]
		settled := posting.Settle(u.Bytes, u.Deliveries)
		settled.Into(r, posting.Tariff)
		u.Bytes += settled.Priced
		u.Deliveries++
		now[r.Client] = u
	}
	return nil
}
