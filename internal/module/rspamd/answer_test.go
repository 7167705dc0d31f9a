package rspamd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
)

const clean = `{"is_skipped":false,"score":1.5,"required_score":15.0,"action":"no action","symbols":{"B":{},"A":{"score":1.5}},"messages":{}}`

func TestParse(t *testing.T) {
	t.Parallel()
	f, err := parse([]byte(clean), ignoreHeader)
	if err != nil || f.Score != 1500 || f.Action != "no action" || !slices.Equal(f.Symbols, []string{"A", "B"}) || f.Virus != "" {
		t.Errorf("%+v, %v", f, err)
	}
	for name, text := range map[string]string{
		"nothing":         "",
		"page":            "<html>",
		"array":           "[" + clean + "]",
		"two":             clean + clean,
		"rest":            clean + "x",
		"cut":             clean[:len(clean)-1],
		"error":           `{"error":"no message","error_domain":"task"}`,
		"error and score": strings.Replace(clean, "{", `{"error":"x",`, 1),
		"no score":        strings.Replace(clean, `"score":1.5,"r`, `"r`, 1),
		"no action":       strings.Replace(clean, `"action":"no action",`, ``, 1),
		"no symbols":      `{"is_skipped":false,"score":1.5,"action":"no action"}`,
		"no skipped":      strings.Replace(clean, `"is_skipped":false,`, ``, 1),
		"text score":      strings.Replace(clean, `1.5,`, `"1.5",`, 1),
		"null score":      strings.Replace(clean, `1.5,`, `null,`, 1),
		"NaN":             strings.Replace(clean, `1.5,`, `nan,`, 1),
		"infinite":        strings.Replace(clean, `1.5,`, `1e999,`, 1),
		"large":           strings.Replace(clean, `1.5,`, `1e12,`, 1),
		"twice":           strings.Replace(clean, `"score":1.5,`, `"score":1.5,"score":0,`, 1),
		"null action":     strings.Replace(clean, `"no action"`, `null`, 1),
		"empty action":    strings.Replace(clean, `"no action"`, `""`, 1),
		"symbols list":    strings.Replace(clean, `{"B":{},"A":{"score":1.5}}`, `["B"]`, 1),
		"skipped text":    strings.Replace(clean, `false`, `"no"`, 1),
	} {
		if f, err := parse([]byte(text), takeHeader); err == nil {
			t.Errorf("%s is taken: %+v", name, f)
		}
	}
	if _, err := parse([]byte(strings.Replace(clean, `1.5,`, `1e12,`, 1)), ignoreHeader); !errors.Is(err, webclient.ErrScore) {
		t.Error(err)
	}
}

// What rspamd says of single symbols is kept, and bounded; what of it cannot be read
// is left out and spoils nothing.
func TestParseDetails(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("я", 400)
	for symbols, want := range map[string]map[string]module.Detail{
		`{"A":{"name":"A","score":-0.25,"options":["exe: setup.exe","exe: setup.exe","b"]}}`:            {"A": {Score: -250, About: []string{"exe: setup.exe", "b"}}},
		`{"A":{"score":0.0,"options":[]},"B":{"score":"1"},"C":7,"D":{"score":1e99,"options":[1,"x"]}}`: {"D": {About: []string{"x"}}},
		`{"A":{"options":["` + long + `"]}}`:                                                            {"A": {About: []string{strings.Repeat("я", 100) + "…"}}},
		`{"A":{"options":["1","2","3","4","5"]}}`:                                                       {"A": {About: []string{"1", "2", "3", "4"}}},
		`{"A":{"score":1,"options":{"a":"b"}}}`:                                                         nil,
		`{"A":{"options":[1,2,3,4,5,6,7,8,"behind too many"]}}`:                                         nil,
		`{"":{"score":1,"options":["a symbol without a name"]}}`:                                        nil,
	} {
		f, err := parse([]byte(strings.Replace(clean, `{"B":{},"A":{"score":1.5}}`, symbols, 1)), ignoreHeader)
		if diff := cmp.Diff(want, f.Details); diff != "" || err != nil {
			t.Errorf("%s: %v %s", symbols, err, diff)
		}
	}
}

func TestParseSkipped(t *testing.T) {
	t.Parallel()
	skipped := strings.Replace(clean, "false", "true", 1)
	for text, want := range map[string]string{
		clean:   "no action",
		skipped: Skipped,
		strings.Replace(skipped, "no action", "reject", 1): "reject",
	} {
		if f, err := parse([]byte(text), ignoreHeader); err != nil || f.Action != want {
			t.Errorf("%s: %+v, %v", text, f, err)
		}
	}
}

// changes are what parse makes of the members of an answer, one a line.
func changes(milter string) (string, error) {
	f, err := parse([]byte(strings.Replace(clean, "{", "{"+milter+",", 1)), takeHeader)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, field := range f.Add {
		b.WriteString("+" + field.Name + ":" + field.Value)
		if field.Place != module.AtEnd {
			fmt.Fprintf(&b, "@%d", field.Place)
		}
		b.WriteByte('|')
	}
	for _, r := range f.Remove {
		fmt.Fprintf(&b, "-%s %d|", r.Name, r.Index)
	}
	return b.String(), nil
}

func TestParseHeader(t *testing.T) {
	t.Parallel()
	for milter, want := range map[string]string{
		`"milter":{}`: "",
		// Lua's empty table, and its numbers.
		`"milter":[]`: "", `"milter":null`: "", `"milter":[ ]`: "", `"dkim-signature":[]`: "", `"dkim-signature":null`: "",
		`"milter":{"add_headers":{"X":null,"Y":[],"Z":"a"}}`:                       "+Z: a|",
		`"milter":{"remove_headers":{"A":1.0,"B":[2.0,-1e0]}}`:                     "-A 1|-B 2|-B -1|",
		`"milter":{"add_headers":{"X":{"value":"a","order":0.0}}}`:                 "+X: a@1|",
		`"milter":{"add_headers":{},"remove_headers":[]}`:                          "",
		`"milter":{"add_headers":{"X":"a"}}`:                                       "+X: a|",
		`"milter":{"add_headers":{"X":""}}`:                                        "+X: |",
		`"milter":{"add_headers":{"B":"2","A":"1"}}`:                               "+B: 2|+A: 1|",
		`"milter":{"add_headers":{"X":{"value":"a","order":0}}}`:                   "+X: a@1|",
		`"milter":{"add_headers":{"X":[{"value":"a","order":1},"b",{"value":3}]}}`: "+X: a@2|+X: b|+X: 3|",
		`"milter":{"add_headers":{"X":{"value":"a","order":-1}}}`:                  "+X: a|",
		`"milter":{"add_headers":{"ARC-Seal":"a"}}`:                                "+ARC-Seal: a@1|",
		`"milter":{"add_headers":{"ARC-Seal":{"value":"a","order":-1}}}`:           "+ARC-Seal: a|",
		`"milter":{"add_headers":{"X":-1.5}}`:                                      "+X: -1.5|",
		`"milter":{"add_headers":{"X":" a;\r\n\tb;\n c\rd"}}`:                      "+X: a;\n\tb;\n c\n\td|",
		`"milter":{"add_headers":{"X":"a\r\n\r\nbody\r\n \t\r\n"}}`:                "+X: a\n\tbody|",
		`"milter":{"add_headers":{"X":"\n\tb"}}`:                                   "+X: \n\tb|",
		`"milter":{"add_headers":{"X":"a\u0000\u001b[2Jb\u007f\tc"}}`:              "+X: a[2Jb\tc|",
		`"milter":{"remove_headers":{"A":0,"B":[1,2],"C":-1}}`:                     "-A 0|-B 1|-B 2|-C -1|",
		`"milter":{"no_action":true,"change_from":"x"}`:                            "",
		`"dkim-signature":"v=1; a=x;\n b=y"`:                                       "+DKIM-Signature: v=1; a=x;\n b=y@1|",
		`"dkim-signature":["v=1","v=2"]`:                                           "+DKIM-Signature: v=1@1|+DKIM-Signature: v=2@1|",
	} {
		if got, err := changes(milter); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", milter, got, err, want)
		}
	}
}

// A change that cannot be read is left out by itself, told, and costs nothing of what
// was found: whatever stands beside it.
func TestChangesLeftOut(t *testing.T) {
	t.Parallel()
	whole := []string{`[1]`, `"x"`, `true`, `17`, `{"add_headers":"x"}`, `{"add_headers":["x"]}`, `{"remove_headers":7}`, `{"add_headers":{"X":"a","X":"b"}}`}
	added := []string{
		`"X":true`, `"X":{}`, `"X":[["a"]]`, `"X":{"value":["a"]}`, `"X: y":"a"`, `"":"a"`, `"X\r\nY":"a"`, `"Тема":"a"`, `"X":{"value":"a","order":"b"}`,
		`"X":{"value":{}}`, `"X":{"value":true}`, `"X":{"order":1}`, `"X":{"value":"a","value":"b"}`, `"X":{"value":"a","order":1.5}`, `"X":false`, `"X":[true]`, `"X":{"value":null}`,
		`"` + strings.Repeat("x", 1000) + `":"a"`,
	}
	removed := []string{`"A":1e9`, `"A":1e400`, `"A":"1"`, `"A":"x"`, `"A":[[1]]`, `"A":1.5`, `"A":true`, `"A":{}`, `"A B":0`, `"Тема":0`, `"A":[{}]`}
	check := func(milter, want string) {
		t.Helper()
		text := []byte(strings.Replace(clean, "{", "{"+milter+",", 1))
		f, err := parse(text, takeHeader)
		if err != nil {
			t.Errorf("%s: %v", milter, err)
			return
		}
		if plain, err := parse([]byte(clean), takeHeader); err != nil || f.Score != plain.Score || f.Action != plain.Action || !slices.Equal(f.Symbols, plain.Symbols) {
			t.Errorf("%s: %+v, %v", milter, f, err)
		}
		if got, _ := changes(milter); got != want {
			t.Errorf("%s: %q, want %q", milter, got, want)
		}
		if len(f.LeftOut) == 0 || len(f.LeftOut) > module.MostLeftOut {
			t.Errorf("%s: told %q", milter, f.LeftOut)
		}
		for _, told := range f.LeftOut {
			if len(told) > 310 || strings.ContainsAny(told, "\r\n") {
				t.Errorf("%s: told %q", milter, told)
			}
		}
		if f, err := parse(text, ignoreHeader); err != nil || f.LeftOut != nil {
			t.Errorf("%s, which nobody wants: %+v, %v", milter, f, err)
		}
	}
	for _, one := range whole {
		check(`"milter":`+one, "")
	}
	for _, one := range added {
		check(`"milter":{"add_headers":{"First":"1",`+one+`,"Last":["2","3"]},"remove_headers":{"B":1}}`, "+First: 1|+Last: 2|+Last: 3|-B 1|")
	}
	for _, one := range removed {
		check(`"milter":{"remove_headers":{"B":[1,2],`+one+`,"C":0},"add_headers":{"Y":"y"}}`, "+Y: y|-B 1|-B 2|-C 0|")
	}
	check(`"milter":{"add_headers":{"X":["a",true,{"value":"b"},[]]}}`, "+X: a|+X: b|")
	check(`"milter":{"remove_headers":{"X":[1,"2",3]}}`, "-X 1|-X 3|")
	check(`"dkim-signature":[7.5,true,"v=1"]`, "+DKIM-Signature: 7.5@1|+DKIM-Signature: v=1@1|")
	check(`"dkim-signature":{}`, "")
	check(`"milter":{"add_headers":{`+strings.Repeat(`"a b":1,`, 1)+`"c d":1,"e f":1,"g h":1,"i j":1,"k l":1}}`, "")
}

// Nothing was found: whichever empty table that is.
func TestNoSymbols(t *testing.T) {
	t.Parallel()
	for _, empty := range []string{"{}", "[]", "[ ]", "null"} {
		f, err := parse([]byte(`{"is_skipped":false,"score":7.5,"action":"reject","symbols":`+empty+`}`), takeHeader)
		if err != nil || f.Score != 7500 || f.Action != "reject" || len(f.Symbols) > 0 {
			t.Errorf("%s: %+v, %v", empty, f, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(clean))
	f.Add([]byte(strings.Replace(clean, "false", "true", 1)))
	f.Add([]byte(`{"error":"x"}`))
	f.Add([]byte(strings.Replace(clean, "{", `{"milter":{"add_headers":{"X":[{"value":"a\r\nb"},"c",-1]},"remove_headers":{"Y":[1]}},`, 1)))
	f.Add([]byte(strings.Replace(clean, "{", `{"dkim-signature":["v=1\n\n x"],`, 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parse(text, takeHeader)
		if err != nil {
			if got.Score != 0 || got.Symbols != nil || got.Action != "" || got.Add != nil || got.Remove != nil {
				t.Errorf("a finding besides an error: %+v", got)
			}
			return
		}
		if got.Action == "" || !slices.IsSorted(got.Symbols) || got.Score > 1000*webclient.MaxScore || got.Score < -1000*webclient.MaxScore {
			t.Errorf("%+v", got)
		}
		for _, field := range got.Add {
			checkValue(t, field.Field)
		}
	})
}

func FuzzQuestion(f *testing.F) {
	f.Add("a\r\nb", "c@d", 3)
	f.Add(strings.Repeat("ё", 2000), "\xff\x00", 5000)
	i, err := New(Settings{URL: "http://127.0.0.1:1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		e := module.Envelope{
			Ref: a, Gateway: b, QueueID: a, ClientHost: b, Helo: a, TLSVersion: b, AuthUser: a, Sender: b,
		}
		for range min(max(n, 0), 10_000) {
			e.Recipients = append(e.Recipients, a)
		}
		size := 0
		for name, values := range i.question(&e) {
			for _, value := range values {
				size += len(name) + len(value) + len(": \r\n")
				if strings.ContainsFunc(value, control) {
					t.Errorf("%s: %q", name, value)
				}
			}
		}
		if size > 64<<10 {
			t.Errorf("%d octets", size)
		}
	})
}
