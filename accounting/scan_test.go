package accounting

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// checkScan: what scan reads, encoding/json reads alike.
func checkScan(t interface {
	Helper()
	Errorf(string, ...any)
}, line string) bool {
	t.Helper()
	var fast Record
	if !scan(line, &fast) {
		return false
	}
	var slow Record
	if err := json.Unmarshal([]byte(line), (*plain)(&slow)); err != nil {
		t.Errorf("%s: read as %+v, but %v", line, fast, err)
		return true
	}
	if len(slow.Rules) == 0 {
		slow.Rules = nil
	}
	if d := cmp.Diff(slow, fast); d != "" {
		t.Errorf("%s (-json +scan):\n%s", line, d)
	}
	return true
}

func TestScanReadsWhatIsWritten(t *testing.T) {
	r := Charge(message(), 7, []Payer{{"a@example.org", "sales"}}, Sharing{Split: true})[0]
	for _, r := range []Record{r, VoidOf(r, time.Now()), {Rules: []string{"a", "b"}, Tariff: "x", TariffVersion: "y", Size: -5}} {
		if line := string(r.AppendJSON(nil)); !checkScan(t, line) {
			t.Errorf("not read: %s", line)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		checkScan(t, string(r.AppendJSON(nil)))
	})
}

func FuzzScan(f *testing.F) {
	r := Charge(message(), 7, []Payer{{"a@example.org", "sales"}}, Sharing{})[0]
	f.Add(string(r.AppendJSON(nil)))
	v := VoidOf(r, time.Unix(1, 0))
	f.Add(string(v.AppendJSON(nil)))
	f.Fuzz(func(t *testing.T, line string) { checkScan(t, line) })
}

// The spool gives its lines with their ends: they must not cost the detour.
func TestParseOfALineIsCheap(t *testing.T) {
	r := Charge(message(), 7, []Payer{{"a@example.org", "sales"}}, Sharing{})[0]
	line := append(r.AppendJSON(nil), '\n')
	if n := testing.AllocsPerRun(100, func() {
		if _, err := ParseRecord(line); err != nil {
			t.Fatal(err)
		}
	}); n > 4 {
		t.Errorf("%v allocations", n)
	}
}
