package took

import (
	"encoding/json"
	"testing"
	"time"
)

func TestJSON(t *testing.T) {
	var in Times
	in.Total = 12345678 * time.Microsecond
	in.Add(RcptTo, 3*time.Millisecond)
	in.Add(RcptTo, 4*time.Millisecond)
	in.Add(Headers, 999*time.Microsecond)
	in.Add(Complete, -time.Hour) // the clock was set back
	in.Add(DNS, 2*time.Second)
	text := string(in.AppendJSON(nil))
	if want := `{"total":12345,"rcptto":7,"dns":2000}`; text != want {
		t.Fatalf("%s, want %s", text, want)
	}
	var out Times
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	if out.Total != 12345*time.Millisecond || out.Of(RcptTo) != 7*time.Millisecond || out.Of(DNS) != 2*time.Second || out.Reached(Headers) || out.Here() != 7*time.Millisecond {
		t.Errorf("%+v", out)
	}
	if again := string(out.AppendJSON(nil)); again != text {
		t.Errorf("%s, want %s", again, text)
	}
}

// What others may have put into a journal is read as far as it makes sense.
func TestJSONOfOthers(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                                    `{"total":0}`,
		`{"total":9223372036854775807,"dns":1}`: `{"total":9223372036854,"dns":1}`,
		`{"total":-4,"dns":-1,"new":7}`:         `{"total":0}`,
		`{"total":1.5,"dns":1e99}`:              `{"total":0}`,
	} {
		var got Times
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if s := string(got.AppendJSON(nil)); s != want {
			t.Errorf("%s: %s, want %s", text, s, want)
		}
	}
	for _, text := range []string{`[]`, `"x"`, `7`} {
		if err := json.Unmarshal([]byte(text), new(Times)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
