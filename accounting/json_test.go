package accounting

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plain decodes and encodes as encoding/json would without our methods.
type plain Record

func TestRecordJSON(t *testing.T) {
	r := Charge(message(), 7, []Payer{{"a@example.org", "sales"}}, Sharing{Split: true})[0]
	const usage = `{"id":"mx1/4abc/1795417200123/a@example.org","kind":"usage","time":"2026-11-23T07:00:00.123Z",` +
		`"gateway":"mx1","queue_id":"4abc","message_id":"<1@example.net>","ref":"r1","client":"sales","recipient":"a@example.org",` +
		`"sender":"a@example.net","client_ip":"192.0.2.7","direction":"inbound","size":7,"charged":7,"share":"split",` +
		`"share_index":1,"share_count":1,"verdict":"accept","weight":"1.5","rules":["one"]}`
	if got := string(r.AppendJSON(nil)); got != usage {
		t.Errorf("got  %s\nwant %s", got, usage)
	}
	r = VoidOf(r, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	r.Rules, r.Sender = nil, "\"<\x01\xff\u2028>\\\"@x"
	r.Tariff, r.TariffVersion = "office", "v1"
	const void = `{"id":"mx1/4abc/1795417200123/a@example.org/void","kind":"void","voids":"mx1/4abc/1795417200123/a@example.org",` +
		`"time":"2026-12-01T00:00:00.000Z","gateway":"mx1","queue_id":"4abc","message_id":"<1@example.net>","ref":"r1",` +
		`"client":"sales","recipient":"a@example.org","sender":"\"<\u0001\ufffd\u2028>\\\"@x","client_ip":"192.0.2.7",` +
		`"direction":"inbound","size":7,"charged":7,"share":"split","share_index":1,"share_count":1,"verdict":"accept",` +
		`"weight":"1.5","rules":[],"tariff":"office","tariff_version":"v1"}`
	if got := string(r.AppendJSON([]byte("x"))); got != "x"+void {
		t.Errorf("got  %s\nwant x%s", got, void)
	}
}

// text draws strings with everything in them that an envelope could hold.
func text(t *rapid.T, name string) string {
	return string(rapid.SliceOfN(rapid.OneOf(
		rapid.Byte(),
		rapid.SampledFrom([]byte("\"\\/<>&\x00\x1f\x7f\xe2\x80\xa8\xff")),
	), 0, 20).Draw(t, name))
}

func anyRecord(t *rapid.T) Record {
	return Record{
		ID: text(t, "id"), Kind: text(t, "kind"), Voids: text(t, "voids"),
		Time:    time.UnixMicro(rapid.Int64Range(-1e15, 1e16).Draw(t, "time")),
		Gateway: text(t, "gateway"), QueueID: text(t, "queue id"), MessageID: text(t, "message id"), Ref: text(t, "ref"),
		Client: text(t, "client"), Recipient: text(t, "recipient"), Sender: text(t, "sender"), ClientIP: text(t, "ip"),
		Direction: text(t, "direction"), Size: rapid.Int64().Draw(t, "size"), Charged: rapid.Int64().Draw(t, "charged"),
		Share: text(t, "share"), ShareIndex: rapid.Int().Draw(t, "index"), ShareCount: rapid.Int().Draw(t, "count"),
		Verdict: text(t, "verdict"), Weight: text(t, "weight"),
		Rules:  rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return text(t, "rule") }), 0, 3).Draw(t, "rules"),
		Tariff: text(t, "tariff"), TariffVersion: text(t, "version"),
	}
}

// What we write, encoding/json reads as it reads what it writes itself.
func TestAppendJSONIsWhatEncodingJSONReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRecord(t)
		r.Time = r.Time.UTC().Truncate(time.Millisecond)
		ours := r.AppendJSON(nil)
		if !utf8.Valid(ours) || bytes.ContainsAny(ours, "\n\r") {
			t.Fatalf("not one line of UTF-8: %q", ours)
		}
		theirs, err := json.Marshal(plain(r))
		if err != nil {
			t.Fatal(err)
		}
		var got, want Record
		if err := json.Unmarshal(ours, &got); err != nil {
			t.Fatalf("%s: %v", ours, err)
		}
		if err := json.Unmarshal(theirs, &want); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		through, err := json.Marshal([]Record{r})
		if err != nil {
			t.Fatal(err)
		}
		var list []Record
		if err := json.Unmarshal(through, &list); err != nil || cmp.Diff([]Record{want}, list) != "" {
			t.Fatalf("in a list: %s, %v", through, err)
		}
	})
}

func TestParseRecordReadsItBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Sharing{Split: rapid.Bool().Draw(t, "split"), OverAll: rapid.Bool().Draw(t, "over all")}
		for _, r := range Charge(message(), rapid.Int64().Draw(t, "size"), payersOf(t), s) {
			for _, r := range []Record{r, VoidOf(r, ended)} {
				got, err := ParseRecord(r.AppendJSON(nil))
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(r, got); d != "" {
					t.Fatal(d)
				}
			}
		}
	})
}

func TestAppendJSONAllocatesNothing(t *testing.T) {
	r := Charge(message(), 7, []Payer{{"иван@example.org", "sales"}}, Sharing{})[0]
	r.Sender = "\xff\"\x00@example.net"
	b := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { b = r.AppendJSON(b[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParseRecordRefuses(t *testing.T) {
	r := Charge(message(), 7, []Payer{{"a@example.org", "sales"}}, Sharing{})[0]
	good := string(r.AppendJSON(nil))
	tests := map[string]string{
		"":                                   "unexpected end of JSON",
		"null":                               "unknown kind",
		"[]":                                 "cannot unmarshal",
		good[:len(good)-1]:                   "unexpected end of JSON",
		good + good:                          "invalid character",
		swap(good, "2026-", "x026-"):         "parsing time",
		swap(good, `"size":7`, `"size":7.5`): "cannot unmarshal",
		swap(good, `"size":7`, `"size":99999999999999999999`):                            "cannot unmarshal",
		swap(good, `"size":7`, `"size":-7`):                                              "neither below zero",
		swap(good, `"charged":7`, `"charged":8`):                                         "nor more than there is",
		swap(good, `"charged":7`, `"charged":-1`):                                        "neither below zero",
		swap(good, `"kind":"usage"`, `"kind":"gift"`):                                    `unknown kind "gift"`,
		swap(good, `"kind":"usage"`, `"kind":"void"`):                                    "names the record",
		swap(good, `"kind":"usage"`, `"kind":"usage","voids":"x"`):                       "voids nothing",
		swap(good, `"id":"mx1/4abc/1795417200123/a@example.org"`, `"id":""`):             "no id",
		swap(good, `"recipient":"a@example.org"`, `"recipient":""`):                      "no recipient",
		swap(good, `"gateway":"mx1"`, `"gateway":""`):                                    "gateway",
		swap(good, `"gateway":"mx1"`, `"gateway":"mx/1"`):                                "gateway",
		swap(good, `"client":"sales"`, `"client":""`):                                    "an id is needed",
		swap(good, `"client":"sales"`, `"client":"}:x"`):                                 "is not one of",
		swap(good, `"client":"sales"`, `"client":"_other"`):                              "may not start",
		swap(good, `"share":"full"`, `"share":"half"`):                                   `unknown share "half"`,
		swap(good, `"share_index":1`, `"share_index":2`):                                 "share 2 of 1",
		swap(good, `"share_index":1`, `"share_index":0`):                                 "share 0 of 1",
		swap(good, `"time":"2026-11-23T07:00:00.123Z"`, `"ref":"x"`):                     "no time",
		swap(good, `"time":"2026-11-23T07:00:00.123Z"`, `"time":"0000-01-01T00:00:00Z"`): "no time",
	}
	for in, want := range tests {
		r, err := ParseRecord([]byte(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", in, err, want)
		}
		if r.ID != "" {
			t.Errorf("%s: a record came with the error", in)
		}
	}
	if _, err := ParseRecord([]byte(swap(good, `"ref"`, `"colour":"red","ref"`))); err != nil {
		t.Errorf("a field of a later version: %v", err)
	}
	if r, err := ParseRecord([]byte(swap(good, "07:00:00.123Z", "10:00:00.123456+03:00"))); err != nil || string(r.AppendJSON(nil)) != good {
		t.Errorf("the same time in other words: %+v, %v", r, err)
	}
}

// swap replaces what must be there.
func swap(s, old, new string) string {
	if !strings.Contains(s, old) {
		panic(old + " is not in " + s)
	}
	return strings.Replace(s, old, new, 1)
}

func FuzzParseRecord(f *testing.F) {
	for _, r := range Charge(message(), 11, []Payer{{"b@example.org", ""}, {"a/\"b\\\"@example.org", "a"}}, Sharing{Split: true, OverAll: true}) {
		f.Add(r.AppendJSON(nil))
		v := VoidOf(r, ended)
		f.Add(v.AppendJSON(nil))
	}
	f.Add([]byte(`{"id":"\ud800","rules":[null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecord(b)
		if err != nil {
			return
		}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		again, err := ParseRecord(r.AppendJSON(nil))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, again); d != "" {
			t.Fatal(d)
		}
		r.Origin()
		n, size, charged := r.Delta()
		if n != 1 && n != -1 || size*n < 0 || charged*n < 0 {
			t.Fatalf("counts %d, %d, %d", n, size, charged)
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	r := Charge(message(), 9000, []Payer{{"a@example.org", "sales"}}, Sharing{})[0]
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = r.AppendJSON(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkParseRecord(b *testing.B) {
	r := Charge(message(), 9000, []Payer{{"a@example.org", "sales"}}, Sharing{})[0]
	line := r.AppendJSON(nil)
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if _, err := ParseRecord(line); err != nil {
			b.Fatal(err)
		}
	}
}
