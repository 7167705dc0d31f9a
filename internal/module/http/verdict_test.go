package http

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/mail"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/webclient"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]module.Finding{
		`{"score":0}`: {},
		`{"score":1.0005,"symbols":[],"action":"","add_headers":{},"remove_headers":[]}`: {Score: 1001},
		`{"x_took":[1],"score":-3,"x_":null}`:                                            {Score: -3000},
		`{"score":1,"symbols":["b","a","b"],"action":"reject"}`:                          {Score: 1000, Symbols: []string{"a", "b"}, Action: "reject"},
		`{"score":0,"add_headers":{"B":["1","2"],"A":"a\r\nX: y"},"remove_headers":["C","D"]}`: {
			Add: []module.Addition{
				{Field: mail.Field{Name: "B", Value: " 1"}}, {Field: mail.Field{Name: "B", Value: " 2"}}, {Field: mail.Field{Name: "A", Value: " a X: y"}},
			},
			Remove: []module.Removal{{Name: "C"}, {Name: "D"}},
		},
	} {
		f, err := parse([]byte(text))
		same(t, text, f, want, err)
	}
	for text, said := range map[string]string{
		``:                                     "no JSON",
		`[]`:                                   "no JSON object",
		`{}`:                                   `has no "score"`,
		`{"symbols":["A"]}`:                    `has no "score"`,
		`{"scroe":1}`:                          `"scroe": is not known`,
		`{"Score":1}`:                          `"Score": is not known`,
		`{"score":1,"add_header":{}}`:          `"add_header": is not known`,
		`{"score":1,"score":0}`:                `has "score" twice`,
		`{"score":"1"}`:                        `"score": is no score`,
		`{"score":null}`:                       `"score": is no score`,
		`{"score":1e9}`:                        `"score": is no score`,
		`{"score":1,"symbols":"A"}`:            `"symbols": is no JSON array`,
		`{"score":1,"symbols":null}`:           `"symbols": is no JSON array`,
		`{"score":1,"symbols":[1]}`:            `"symbols": is no JSON string`,
		`{"score":1,"symbols":[""]}`:           `"symbols": has an empty name`,
		`{"score":1,"action":1}`:               `"action": is no JSON string`,
		`{"score":1,"add_headers":[]}`:         `"add_headers": is no JSON object`,
		`{"score":1,"add_headers":{"X":1}}`:    `"add_headers": "X": is no JSON string`,
		`{"score":1,"add_headers":{"X":[1]}}`:  `"add_headers": "X": is no JSON string`,
		`{"score":1,"add_headers":{"X:":""}}`:  `"add_headers": "X:" is no name of a field`,
		`{"score":1,"remove_headers":{}}`:      `"remove_headers": is no JSON array`,
		`{"score":1,"remove_headers":["A B"]}`: `"remove_headers": "A B" is no name of a field`,
		`{"score":1}{"score":2}`:               `more than one`,
	} {
		f, err := parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %+v, %v; want %q", text, f, err, said)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"score":0}`))
	f.Add([]byte(`{"score":1.5,"symbols":["b","a"],"action":"x","add_headers":{"A":"b","B":["c\r\nd"]},"remove_headers":["C"],"x_a":{}}`))
	f.Add([]byte(`{"scroe":0}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parse(text)
		if err != nil {
			same(t, "besides an error", got, module.Finding{}, nil)
			return
		}
		if got.Score > 1000*webclient.MaxScore || got.Score < -1000*webclient.MaxScore {
			t.Errorf("%+v", got)
		}
		for _, field := range got.Add {
			if !strings.HasPrefix(field.Value, " ") || webclient.CheckFieldName(field.Name) != nil {
				t.Errorf("%+v", field)
			}
			for i, line := range strings.Split(field.Value, "\n") {
				if i > 0 && (line == "" || line[0] != ' ' && line[0] != '\t') {
					t.Errorf("%+v", field)
				}
			}
		}
	})
}
