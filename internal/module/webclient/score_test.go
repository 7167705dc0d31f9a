package webclient

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/rules"
)

func TestScore(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rules.Weight{
		"0": 0, "-0": 0, "-0.0": 0, "1": 1000, "-1": -1000, "15.0": 15000, "1.5": 1500, "0.001": 1,
		"0.0005": 1, "-0.0005": -1, "0.00049999999999999999": 0, "-0.00049999999999999999": 0,
		"2.6745": 2675, "1.0005": 1001, "-1.0005": -1001, "1.00049999999999994": 1000,
		"3.251000": 3251, "0.3e1": 3000, "1E3": 1_000_000, "1e-3": 1, "1e-400": 0, "1e-99999999999": 0,
		"1000000": 1_000_000_000, "-1e6": -1_000_000_000,
	} {
		if got, err := Score([]byte(text)); got != want || err != nil {
			t.Errorf("%s is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "null", "true", `"1"`, "nan", "NaN", "inf", "-Infinity", "0x10", "1_000", "1/2", "1e", "--1", "[1]", "{}", " 1",
		"1000000.0001", "-1000001", "1e7", "1e308", "1e309", "-1e999999999", strings.Repeat("1", 64), "0." + strings.Repeat("0", 63),
	} {
		if got, err := Score([]byte(text)); !errors.Is(err, ErrScore) {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
}

// A double, printed as JSON, comes out as its thousandths.
func TestScoreOfDoubles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int64Range(-1_000_000_000, 1_000_000_000).Draw(t, "thousandths")
		text, err := json.Marshal(float64(want) / 1000)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Score(text); int64(got) != want || err != nil {
			t.Errorf("%s is %d, %v", text, got, err)
		}
	})
}

func FuzzScore(f *testing.F) {
	for _, text := range []string{"1.5", "-1e-3", "1e-99999999999", "0.0005", "nan", "1/3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Score([]byte(text))
		if err != nil {
			return
		}
		var want float64
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			return // looser than JSON, which has been read before
		}
		if math.Abs(float64(got)-want*1000) > 0.5001 {
			t.Errorf("%s is %d", text, got)
		}
	})
}
