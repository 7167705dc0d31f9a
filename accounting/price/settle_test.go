package price

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting"
)

// A balance does not become one of another currency unnoticed, also not by way of
// months without a tariff; what is to come only is no currency of it.
func TestRelabels(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	month := func(tariff, currency string) Plan {
		return Plan{Tariff: tariff, Period: accounting.ByMonth, Zone: "UTC", Currency: currency}
	}
	rub, eur, none := month("office", "RUB"), month("daily", "EUR"), month("", "")
	after := func(list ...Plan) (p Plans) {
		for i, one := range list {
			p = p.Now(one, now.Add(time.Duration(i-len(list))*time.Hour))
		}
		return p
	}
	for name, test := range map[string]struct {
		plans   Plans
		want    Plan
		balance int64
		refused bool
	}{
		"another":            {after(rub), eur, -199_145_664, true},
		"nothing on it":      {after(rub), eur, 0, false},
		"the same":           {after(rub), month("other", "RUB"), 5, false},
		"none":               {after(rub), none, 5, false},
		"back":               {after(rub, none), rub, 5, false},
		"by way of none":     {after(rub, none), eur, 5, true},
		"never had one":      {nil, eur, 26_500_000, false},
		"none from ever":     {after(none), eur, 26_500_000, false},
		"another is pending": {after(rub).With(eur, now, now), eur, 5, true},
	} {
		err := test.plans.Relabels(test.want, test.balance, now)
		if errors.Is(err, ErrBalance) != test.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := after(rub).Relabels(eur, -199_145_664, now); !strings.Contains(err.Error(), "-199.145664 RUB") || !strings.Contains(err.Error(), "EUR") {
		t.Error(err)
	}
}
