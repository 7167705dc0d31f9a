package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/took"
)

// agrees has a line read by decode and by encoding/json; own tells whether it was
// read here.
func agrees(t *testing.T, line []byte) (own bool) {
	t.Helper()
	var want Entry
	err := json.Unmarshal(line, &want)
	got, failed := decode(line)
	want.Line = string(line)
	switch {
	case (err != nil) != (failed != nil):
		t.Fatalf("%s\n%v, encoding/json: %v", line, failed, err)
	case err == nil && !reflect.DeepEqual(*got, want):
		t.Fatalf("%s\n%+v, encoding/json:\n%+v", line, *got, want)
	}
	return readEntry(line, new(Entry))
}

// entryOf is a random entry.
func entryOf(r *rand.Rand) *Entry {
	texts := []string{"", "a", "x@example.org", "Счёт", "\"", "\\", "\x01", "\u2028", "<&>", "\xff", strings.Repeat("long ", 50), "😀"}
	text := func() string { return texts[r.IntN(len(texts))] }
	list := func() (all []string) {
		for range r.IntN(3) {
			all = append(all, text())
		}
		return all
	}
	e := new(Entry)
	v := reflect.ValueOf(e).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(text())
		case reflect.Int64:
			f.SetInt(r.Int64() >> r.IntN(64))
		}
	}
	e.Time = time.UnixMilli(r.Int64N(4e12)).UTC()
	e.Recipients = list()
	for range r.IntN(3) {
		e.Rules = append(e.Rules, RuleHit{text(), text(), text(), r.IntN(2) == 0, text(), text(), text()})
		e.Modules = append(e.Modules, ModuleHit{Name: text(), Symbols: list(), About: map[string][]string{text(): list()}, DurationMS: r.Int64N(9)})
		e.Changes = append(e.Changes, Change{Recipient: text(), Tags: r.IntN(2) == 0})
	}
	if r.IntN(2) == 0 {
		e.Took = &took.Times{Total: time.Duration(r.IntN(5000)) * time.Millisecond}
		e.Took.Add(took.DNS, time.Duration(r.IntN(50))*time.Millisecond)
	}
	return e
}

// What is read here says what encoding/json says, of lines as ours and of lines that
// somebody has been at; and what is written by us without an escape is read here.
func TestDecode(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 8_000 {
		e := entryOf(r)
		k := kinds[n%len(kinds)]
		line := k.append(nil, e)
		if own := agrees(t, line); !own && !bytes.ContainsRune(line, '\\') {
			t.Fatalf("not read here: %s", line)
		}
		for range 3 {
			agrees(t, damaged(r, line))
		}
	}
	for _, line := range []string{
		``, `{}`, `null`, `[]`, `{"time":"2026-11-28T10:00:00Z"}`, `{"time":"2026-11-28T10:00:00.5+03:00","size":1}`,
		`{"size":01}`, `{"size":-1}`, `{"size":1.5}`, `{"size":1e3}`, `{"size":9223372036854775808}`, `{"size":""}`, `{"size":null}`,
		`{"ref":"a","ref":"b"}`, `{"REF":"a"}`, `{"ref":"a","Ref":"b"}`, `{"ref":null,"what":{"a":[1,{}]}}`, `{"ref":5}`,
		`{"rules":[{"name":"a"}],"rules":[{"stage":"b"}]}`, `{"rules":[{"name":"a","name":"b","shadow":false}]}`, `{"rules":null}`, `{"rules":{}}`,
		`{"rules":[{"shadow":true,"shadow":true}]}`, `{"modules":[{}]}`, `{"modules":[],"modules":[{"name":"x"}]}`, `{"modules":[{]}`, `{"modules":[{"name":"}"}]}`,
		`{"recipients":[]}`, `{"recipients":["a",]}`, `{"recipients":["a"`, `{"recipients":["a"],"recipients":[]}`, `{"took_ms":{"total":5}}`, `{"took_ms":null}`,
		`{"ref":"a"} `, ` {"ref":"a"}`, `{"ref":"a"}}`, `{"ref":"a",}`, `{,}`, `{"ref":"a" ,"helo":"b"}`, `{"ref":"` + "\xff" + `"}`, `{"ref":"` + "\x00" + `"}`, `{"ref":"\u0041"}`,
	} {
		agrees(t, []byte(line))
	}
}

// damaged is a line with something taken away, put in or written twice.
func damaged(r *rand.Rand, line []byte) []byte {
	b := bytes.Clone(line)
	i, j := r.IntN(len(b)), r.IntN(len(b))
	i, j = min(i, j), max(i, j)
	switch r.IntN(5) {
	case 0:
		return b[:i]
	case 1:
		return append(b[:i], b[j:]...)
	case 2:
		return []byte(fmt.Sprintf("%s%s%s", b[:j], b[i:j], b[j:]))
	case 3:
		b[i] = "{}[]\":,\\0 tn"[r.IntN(12)]
		return b
	}
	return append(b[:i], append([]byte{"{}[]\":,\\0 tn"[r.IntN(12)]}, b[i:]...)...)
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, k := range kinds {
		f.Add(k.append(nil, entryOf(r)))
	}
	f.Fuzz(func(t *testing.T, line []byte) { agrees(t, line) })
}

func BenchmarkDecode(b *testing.B) {
	line := []byte(`{"time":"2026-11-01T00:00:05.000Z","kind":"messages","gateway":"mx1.example.org","policy":"0123456789ab","ref":"ref00000005","queue_id":"4L000000005","message_id":"<5@mail5.example.com>","client_ip":"192.0.5.5","client_host":"mail5.example.com","helo":"mail5.example.com","tls":"TLSv1.3","auth_user":"","direction":"inbound","sender":"user5@example5.com","recipients":["person5@example.org"],"subject":"Отчёт за квартал","size":1005,"stage":"complete","verdict":"accept","rule":"","rules":[{"name":"sender-has-mx","stage":"mailfrom","weight":"-0.5"},{"name":"newsletter","stage":"headers","weight":"1"}],"modules":[],"weight":"0.5","reply":"","reason":""}`)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(line); err != nil {
			b.Fatal(err)
		}
	}
}
