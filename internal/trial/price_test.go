package trial_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/accounting/price"
	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/trial"
)

// Records have the price of an empty period, or of one in which something was
// used before; without a tariff they have none.
func TestPrice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.toml")
	text := `[gateway]
name = "mx1"
[[tariff]]
name = "office"
currency = "EUR"
per_mib = "1.00"
per_delivery = "0.10"
included = "64 KiB"
included_deliveries = 1
[[tariff]]
name = "before"
currency = "RUB"
per_delivery = "7.00"
[[client]]
id = "paying"
addresses = ["a@example.org", "b@example.org"]
tariff = "office"
[[client]]
id = "free"
addresses = ["c@example.org"]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(path)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	b, err := trial.New(t.Context(), trial.Options{Config: cfg, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for name, tt := range map[string]struct {
		used map[string]trial.Used
		want []string
	}{
		"an empty period":                         {nil, []string{"0.00", "0.10", ""}},
		"under another one until its next period": {map[string]trial.Used{"paying": {Tariff: "before"}}, []string{"7.00", "7.00", ""}},
		"under one that the policy has no more":   {map[string]trial.Used{"paying": {Tariff: "gone"}}, []string{"", "", ""}},
		"all is used":                             {map[string]trial.Used{"paying": {Bytes: 1 << 20, Deliveries: 1}}, []string{"0.10", "0.10", ""}},
	} {
		o, err := b.Judge(t.Context(), trial.Message{
			Client: trial.Peer(gate.Peer{}.Addr, "", ""), Recipients: []string{"a@example.org", "b@example.org", "c@example.org"},
			Envelope: gate.Envelope{Sender: "x@example.com", Size: -1}, Text: []byte("Subject: x\n\nbody\n"),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := trial.Price(cfg, o.Records, tt.used); err != nil {
			t.Fatal(err)
		}
		if len(o.Records) != len(tt.want) {
			t.Fatalf("%+v", o.Records)
		}
		for i, r := range trial.Explain(o).Records {
			text, err := json.Marshal(r)
			var told struct {
				Cost, Amount string
				ID           string
			}
			if err == nil {
				err = json.Unmarshal(text, &told)
			}
			if err != nil || told.ID != r.ID || told.Amount != r.Amount || told.Cost != r.Cost {
				t.Errorf("%s: %v", text, err)
			}
			got := ""
			if r.Amount != "" {
				amount, err := price.ParseAmount(r.Amount)
				if err != nil {
					t.Fatal(err)
				}
				// A few bytes cost less than a cent: whole cents will do here.
				got = price.FormatMoney(amount.Whole / 10000 * 10000)
				if cost, err := price.ParseMoney(told.Cost); err != nil || cost != amount.Whole {
					t.Errorf("cost %q of %q millionths, %v", told.Cost, r.Amount, err)
				}
			}
			if got != tt.want[i] {
				t.Errorf("%s: %s costs %q, want %q", name, r.Recipient, got, tt.want[i])
			}
		}
	}
}
