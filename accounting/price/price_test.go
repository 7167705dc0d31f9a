package price

import (
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/accounting"
)

func office() Terms {
	return Terms{Name: "office", Currency: "RUB", PerMiB: 1_500_000, PerDelivery: 20_000, Increment: 1024, Included: 100 << 20,
		Period: accounting.ByMonth, Timezone: "Europe/Moscow", Bands: []Band{{"Sa-Su 00:00-24:00", 50}}}
}

func TestMoney(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "1.50": 1_500_000, "0.02": 20_000, "0.000001": 1, "1000000000": MaxMoney, "-3": -3_000_000, "-0.5": -500_000, "1.5000000000": 1_500_000, "007.1": 7_100_000,
	} {
		if got, err := ParseMoney(in); err != nil || got != want {
			t.Errorf("%q: %d, %v", in, got, err)
		}
	}
	for in, want := range map[string]error{
		"": ErrMoney, ".5": ErrMoney, "1.": ErrMoney, "1,5": ErrMoney, "1e3": ErrMoney, "+1": ErrMoney, " 1": ErrMoney, "--1": ErrMoney, "١": ErrMoney,
		"0.0000001": ErrFiner, "1.1234567": ErrFiner, "1000000000.000001": ErrTooBig, "99999999999999999999": ErrTooBig,
	} {
		if got, err := ParseMoney(in); !errors.Is(err, want) {
			t.Errorf("%q: %d, %v, want %v", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"1000,50": `write "1000.50"`, "1.000,50": `write "1000.50"`, "1,000.50": `write "1000.50"`, "1 000": `write "1000"`, "12.50 RUB": `write "12.50"`, "€ 3": `write "3"`, "+3": `write "3"`,
		"-1,5": `write "-1.5"`, "1,000": "with a point", "1e3": "", "": "", "RUB": "", "--1": "", "1.2.3": "", "1,2,3": "",
	} {
		_, err := ParseMoney(in)
		if err == nil || !strings.Contains(err.Error(), want) || want == "" && strings.Contains(err.Error(), ";") {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
	for in, want := range map[int64]string{0: "0.00", 1: "0.000001", 1_500_000: "1.50", -20_000: "-0.02", 123_456_789: "123.456789", -1 << 63: "-9223372036854.775808"} {
		if got := FormatMoney(in); got != want {
			t.Errorf("%d: %s", in, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-MaxMoney, MaxMoney).Draw(t, "n")
		if got, err := ParseMoney(FormatMoney(n)); err != nil || got != n {
			t.Fatalf("%d: %d, %v", n, got, err)
		}
	})
}

// exact is an amount in parts.
func exact(a Amount) *big.Int {
	n := new(big.Int).Mul(big.NewInt(a.Whole), big.NewInt(Parts))
	return n.Add(n, big.NewInt(a.Rest))
}

func TestAmount(t *testing.T) {
	draw := func(t *rapid.T, name string) Amount {
		return Amount{rapid.Int64Range(-accounting.CounterLimit/2, accounting.CounterLimit/2).Draw(t, name), rapid.Int64Range(0, Parts-1).Draw(t, name+" rest")}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		if got, want := exact(a.Add(b)), new(big.Int).Add(exact(a), exact(b)); got.Cmp(want) != 0 {
			t.Fatalf("%v + %v: %v, want %v", a, b, got, want)
		}
		if n := a.Neg(); exact(n).Cmp(new(big.Int).Neg(exact(a))) != 0 || n.Rest < 0 || n.Rest >= Parts {
			t.Fatalf("-%v: %v", a, n)
		}
		back, err := ParseAmount(a.String())
		if err != nil || back != a {
			t.Fatalf("%v is %s, and read %v, %v", a, a, back, err)
		}
		want, _ := new(big.Rat).SetString(a.String())
		if got := new(big.Rat).SetFrac(exact(a), big.NewInt(Parts)); got.Cmp(want) != 0 {
			t.Fatalf("%v is written %s", got, a)
		}
	})
	for _, bad := range []string{"x", "1.", "1.x", "1.00000000000000000000001", "--1", "1e5", "-", ".5"} {
		if a, err := ParseAmount(bad); err == nil {
			t.Errorf("%q: %v", bad, a)
		}
	}
	if a, err := ParseAmount("0.0000000000000000000001"); err == nil {
		t.Errorf("finer than a part: %v", a)
	}
	rapid.Check(t, func(t *rapid.T) {
		n, p := rapid.Uint64().Draw(t, "n"), rapid.Uint64().Draw(t, "parts")
		want := new(big.Int).Mul(new(big.Int).SetUint64(n), new(big.Int).SetUint64(p))
		fits := new(big.Int).Quo(want, big.NewInt(Parts)).Cmp(big.NewInt(accounting.CounterLimit)) <= 0
		a, err := times(n, p)
		if (err == nil) != fits || fits && exact(a).Cmp(want) != 0 {
			t.Fatalf("%d times %d: %v, %v", n, p, a, err)
		}
	})
}

func TestTermsRefused(t *testing.T) {
	for want, change := range map[string]func(*Terms){
		"tariff name":                  func(t *Terms) { t.Name = "a b" },
		"currency":                     func(t *Terms) { t.Currency = "rub" },
		"per_mib":                      func(t *Terms) { t.PerMiB = -1 },
		"per_delivery":                 func(t *Terms) { t.PerDelivery = MaxMoney + 1 },
		"fee":                          func(t *Terms) { t.Fee = -1 },
		"increment":                    func(t *Terms) { t.Increment = 0 },
		"included: ":                   func(t *Terms) { t.Included = MaxVolume + 1 },
		"included_deliveries":          func(t *Terms) { t.IncludedDeliveries = -1 },
		"period \"year\"":              func(t *Terms) { t.Period = "year" },
		"timezone \"Mars/Base\"":       func(t *Terms) { t.Timezone = "Mars/Base" },
		"timezone \"\"":                func(t *Terms) { t.Timezone = "" },
		"band 1: percent":              func(t *Terms) { t.Bands[0].Percent = 1001 },
		"band 1: when":                 func(t *Terms) { t.Bands[0].When = "Xx" },
		"bands 1 and 2 overlap":        func(t *Terms) { t.Bands = append(t.Bands, Band{"Fr 22:00-02:00", 10}) },
		"more than 100 bands":          func(t *Terms) { t.Bands = make([]Band, 101) },
		"timezone \"Local\" is not in": func(t *Terms) { t.Timezone = "Local" },
	} {
		terms := office()
		change(&terms)
		if _, err := New(terms); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// Versions are by content, and the canonical form is the contract's: an
// auditor computes them anew.
func TestVersion(t *testing.T) {
	const want = `{"name":"office","currency":"RUB","per_mib":1500000,"per_delivery":20000,"increment":1024,"included":104857600,` +
		`"included_deliveries":0,"fee":0,"period":"month","timezone":"Europe/Moscow","bands":[{"when":"Sa-Su 00:00-24:00","percent":50}]}`
	if got := string(office().Canonical()); got != want {
		t.Errorf("%s", got)
	}
	a, err := New(office())
	if err != nil {
		t.Fatal(err)
	}
	if a.Version() != office().Version() || len(a.Version()) != 16 {
		t.Error(a.Version())
	}
	b, err := ParseTerms(office().Canonical())
	if err != nil || b.Version() != a.Version() {
		t.Error(b, err)
	}
	other := office()
	other.PerMiB++
	if other.Version() == a.Version() {
		t.Error("another price is the same version")
	}
	book := NewBook(a)
	var again Book
	again.version = map[string]*Tariff{}
	if err := again.Decode(book.Encode()); err != nil || again.Find(a.Version()) == nil {
		t.Error(err)
	}
	if err := again.Decode([]byte(want + "\n{}\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Error(err)
	}
}

func record(charged int64, at time.Time, t *Tariff) accounting.Record {
	return accounting.Record{ID: "r", Kind: accounting.Usage, Time: at, Client: "sales", Size: charged, Charged: charged, Tariff: t.Name, TariffVersion: t.Version()}
}

// With increment 1, no price for a delivery, one version and no bands, what a
// client owes does not depend on how its bytes were cut or ordered.
func TestCutAndOrderDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := office()
		terms.Bands, terms.PerDelivery, terms.Increment = nil, 0, 1
		terms.PerMiB = rapid.Int64Range(0, MaxMoney).Draw(t, "per MiB")
		terms.Included = rapid.Int64Range(0, 1<<22).Draw(t, "included")
		tariff, err := New(terms)
		if err != nil {
			t.Fatal(err)
		}
		d := Desk{NewBook(tariff), time.UTC}
		total := func(sizes []int64) (Amount, int64) {
			var sum Amount
			var included int64
			for _, n := range sizes {
				r := record(n, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), tariff)
				p, _, err := d.Post(&r, nil, r.Time)
				if err != nil {
					t.Fatal(err)
				}
				s := p.Settle(included, 0)
				sum, included = sum.Add(s.Amount), included+s.Included
			}
			return sum, included
		}
		sizes := rapid.SliceOfN(rapid.Int64Range(0, 1<<20), 1, 12).Draw(t, "sizes")
		cut := rapid.Permutation(sizes).Draw(t, "order")
		if cut[0] > 0 {
			at := rapid.Int64Range(0, cut[0]).Draw(t, "cut")
			cut = append(cut[1:], at, cut[0]-at)
		}
		sum, included := total(sizes)
		sum2, included2 := total(cut)
		if sum != sum2 || included != included2 {
			t.Fatalf("%v cost %v, cut %v they cost %v", sizes, sum, cut, sum2)
		}
	})
}

func TestPosting(t *testing.T) {
	tariff, err := New(office())
	if err != nil {
		t.Fatal(err)
	}
	d := Desk{NewBook(tariff), time.UTC}
	monday := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	saturday := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		at             time.Time
		charged, used  int64
		priced, gratis int64
		amount         string
	}{
		"all included":     {monday, 1, 0, 1024, 1024, "20000"},
		"a MiB":            {monday, 1 << 20, 100 << 20, 1 << 20, 0, "1520000"},
		"half price":       {saturday, 1 << 20, 100 << 20, 1 << 20, 0, "760000"},
		"part of it":       {monday, 2048, 100<<20 - 1024, 2048, 1024, "21464.84375"},
		"nothing":          {monday, 0, 0, 0, 0, "20000"},
		"the last minute":  {time.Date(2026, 11, 27, 20, 59, 59, 0, time.UTC), 1024, 100 << 20, 1024, 0, "21464.84375"},
		"Saturday, Moscow": {time.Date(2026, 11, 27, 21, 0, 0, 0, time.UTC), 1024, 100 << 20, 1024, 0, "10732.421875"},
	} {
		r := record(c.charged, c.at, tariff)
		p, plans, err := d.Post(&r, nil, c.at)
		if err != nil {
			t.Fatal(err)
		}
		s := p.Settle(c.used, 0)
		if s.Priced != c.priced || s.Included != c.gratis || s.Amount.String() != c.amount {
			t.Errorf("%s: %+v, %s", name, s, s.Amount)
		}
		if p.Period != "2026-11" || len(plans) != 1 {
			t.Errorf("%s: %s, %v", name, p.Period, plans)
		}
	}
	r := record(MaxVolume, monday, tariff)
	if _, _, err := d.Post(&r, nil, monday); !errors.Is(err, ErrOverflow) {
		t.Error(err)
	}
	r = record(1, monday, tariff)
	r.TariffVersion = "gone"
	if _, _, err := d.Post(&r, nil, monday); !errors.Is(err, ErrTerms) {
		t.Error(err)
	}
}

// A tariff that was changed holds from the client's next period on.
func TestPlans(t *testing.T) {
	terms := office()
	a, _ := New(terms)
	terms.Name, terms.Period = "gold", accounting.ByWeek
	b, _ := New(terms)
	d := Desk{NewBook(a, b), time.UTC}
	day := func(month time.Month, n int) time.Time { return time.Date(2026, month, n, 12, 0, 0, 0, time.UTC) }
	var plans Plans
	step := func(at time.Time, told *Tariff, name, period string) {
		t.Helper()
		r := record(1, at, a)
		r.Tariff, r.TariffVersion = "", ""
		if told != nil {
			r.Tariff, r.TariffVersion = told.Name, told.Version()
		}
		p, next, err := d.Post(&r, plans, at)
		if err != nil {
			t.Fatal(err)
		}
		plans = next
		if again, err := ParsePlans(plans.String()); err != nil || again.String() != plans.String() {
			t.Errorf("%v reads as %v, %v", plans, again, err)
		}
		got := ""
		if p.Tariff != nil {
			got = p.Tariff.Name
		}
		if got != name || p.Period != period {
			t.Errorf("%s: under %q in %s, want %q in %s\n%s", at, got, p.Period, name, period, plans)
		}
	}
	step(day(11, 1), nil, "", "2026-11")
	step(day(11, 2), a, "office", "2026-11")
	step(day(11, 20), b, "office", "2026-11")
	step(day(11, 19), a, "office", "2026-11") // older news
	step(day(11, 30), b, "office", "2026-11")
	step(day(12, 1), b, "gold", "2026-W49")
	step(day(11, 20).Add(-1), a, "office", "2026-11") // late
	step(day(12, 2), a, "gold", "2026-W49")
	step(day(12, 3), b, "gold", "2026-W49") // thought better of it
	step(day(12, 8), b, "gold", "2026-W50")
	step(day(12, 9), nil, "gold", "2026-W50")
	step(day(12, 14), nil, "", "2026-12")
	now := plans.Now(a.Plan(), day(12, 15))
	if p := now.At(day(12, 15)); p.Tariff != "office" || now.At(day(12, 14).Add(23*time.Hour)).Tariff != "" {
		t.Errorf("at once: %s", now)
	}
	for _, bad := range []string{"x", "1 2 3 4 5", "a 0 x month UTC RUB", "0 0 x month Mars/Base RUB"} {
		if p, err := ParsePlans(bad); err == nil {
			t.Errorf("%q: %v", bad, p)
		}
	}
}

// A clock that was a year ahead told of a change: it is in force when it would be
// by a right one, and does not keep later ones from being told.
func TestPlansFromTheFuture(t *testing.T) {
	day := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	plan := func(name string) Plan {
		return Plan{Tariff: name, Period: accounting.ByMonth, Zone: "UTC", Currency: "RUB"}
	}
	was := Plans(nil).With(plan("office"), day("2026-10-01"), day("2026-10-01"))
	ahead := was.With(plan("shop"), day("2027-11-10"), day("2027-11-10"))
	now := day("2026-11-10")
	if got := ahead.With(plan("shop"), now, now).At(day("2026-12-01")); got.Tariff != "shop" {
		t.Errorf("the change holds from %s on", ahead)
	}
	if got := ahead.With(plan("market"), now, now); got.At(day("2026-12-01")).Tariff != "market" || got.At(now).Tariff != "office" {
		t.Errorf("%s", got)
	}
	alone := Plans(nil).With(plan("office"), day("2027-11-10"), day("2027-11-10"))
	if got := alone.With(plan("market"), now, now); got.At(day("2026-12-01")).Tariff != "market" || got.At(now).Tariff != "office" {
		t.Errorf("%s", got)
	}
	// To a clock that is behind nothing of that is wrong.
	right := was.With(plan("shop"), now, now)
	back := day("2026-10-20")
	if got := right.With(plan("shop"), back, back); got.String() != right.String() {
		t.Errorf("%s, was %s", got, right)
	}
}
