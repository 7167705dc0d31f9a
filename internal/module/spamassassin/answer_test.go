package spamassassin

import (
	"slices"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/module"
)

const good = "SPAMD/1.1 0 EX_OK\r\nContent-length: 19\r\nSpam: True ; 15.1 / 5.0\r\n\r\nGTUBE,TEST_PHARMACY"

func TestParse(t *testing.T) {
	t.Parallel()
	answer := func(length, spam, body string) string {
		return "SPAMD/1.1 0 EX_OK\r\nContent-length: " + length + "\r\nSpam: " + spam + "\r\n\r\n" + body
	}
	for text, want := range map[string]module.Finding{
		good:                                                   {Score: 15100, Action: Spam, Symbols: []string{"GTUBE", "TEST_PHARMACY"}},
		answer("0", "False ; 0.0 / 5.0", ""):                   {Action: Ham},
		answer("1", "False ; -12.3 / 5.0", "X"):                {Action: Ham, Score: -12300, Symbols: []string{"X"}},
		answer("1", "False ; 4.9 / -5", "_"):                   {Action: Ham, Score: 4900, Symbols: []string{"_"}},
		answer("1", "True ; 1000.125 / 5.0", "X1"):             {},
		answer("2", "True ; 1000.125 / 5.0", "X1"):             {Action: Spam, Score: 1000125, Symbols: []string{"X1"}},
		strings.Replace(good, "Spam", "SPAM", 1):               {Score: 15100, Action: Spam, Symbols: []string{"GTUBE", "TEST_PHARMACY"}},
		strings.Replace(good, "Spam", "DidPass: 1\r\nSpam", 1): {Score: 15100, Action: Spam, Symbols: []string{"GTUBE", "TEST_PHARMACY"}},

		"":                                                                 {},
		"SPAMD/1.1 0 EX_OK":                                                {},
		"SPAMD/1.1 0 EX_OK\r\n\r\n":                                        {},
		"SPAMD/1.1 76 EX_PROTOCOL\r\n":                                     {},
		"SPAMD/1.1 00 EX_OK\r\n\r\n":                                       {},
		strings.Replace(good, "\r\n", "\n", -1):                            {},
		strings.Replace(good, " 0 ", " -0 ", 1):                            {},
		strings.Replace(good, "SPAMD", "RSPAMD", 1):                        {},
		strings.Replace(good, "Content-length: 19\r\n", "", 1):             {},
		strings.Replace(good, "Spam: True ; 15.1 / 5.0\r\n", "", 1):        {},
		strings.Replace(good, "Spam", "Spam: False ; 0 / 5\r\nSpam", 1):    {},
		strings.Replace(good, "Spam", "nothing\r\nSpam", 1):                {},
		answer("-0", "False ; 0.0 / 5.0", ""):                              {},
		answer("99999999999999999999", "False ; 0.0 / 5.0", ""):            {},
		answer("1", "True ; 15.1 / 5.0", ""):                               {},
		answer("1", "True ; 15.1 / 5.0", "XY"):                             {},
		answer("0", "Maybe ; 15.1 / 5.0", ""):                              {},
		answer("0", "True ; nan / 5.0", ""):                                {},
		answer("0", "True ; inf / 5.0", ""):                                {},
		answer("0", "True ; 1e9 / 5.0", ""):                                {},
		answer("0", "True ; 99999999 / 5.0", ""):                           {},
		answer("0", "True ; 15.1", ""):                                     {},
		answer("0", "True ; --15.1 / 5.0", ""):                             {},
		answer("3", "True ; 15.1 / 5.0", "A,,"):                            {},
		answer("3", "True ; 15.1 / 5.0", "A B"):                            {},
		answer("3", "True ; 15.1 / 5.0", "A\r\n"):                          {},
		answer("2", "True ; 15.1 / 5.0", "\xd0\xb0"):                       {},
		answer("19", "False ; 0.0 / 5.0", "TIME_LIMIT_EXCEEDED"):           {Action: Ham, Symbols: []string{TimeLimit}},
		answer("21", "True ; 9.0 / 5.0", "A,TIME_LIMIT_EXCEEDED"):          {Action: Spam, Score: 9000, Symbols: []string{"A", TimeLimit}},
		answer("129", "True ; 9.0 / 5.0", strings.Repeat("A", 129)):        {},
		answer("128", "True ; 9.0 / 5.0", strings.Repeat("A", 128)):        {Action: Spam, Score: 9000, Symbols: []string{strings.Repeat("A", 128)}},
		answer("0", "False ; 0.0 / 5.0", "") + "SPAMD/1.1 0 EX_OK\r\n\r\n": {},
	} {
		f, err := parse([]byte(text))
		if (err != nil) != (want.Action == "") || err == nil && (f.Score != want.Score || f.Action != want.Action || !slices.Equal(f.Symbols, want.Symbols)) {
			t.Errorf("%q: %+v, %v", text, f, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; -0.5 / 5.0\r\n\r\n"))
	f.Add([]byte("SPAMD/1.0 76 Bad header line: (closed before headers)\r\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		got, err := parse(answer)
		if err != nil {
			if got.Action != "" || got.Symbols != nil || len(err.Error()) > 2000 {
				t.Errorf("%+v, %v", got, err)
			}
			return
		}
		if got.Action != Spam && got.Action != Ham || got.Virus != "" || got.Score > 1e10 || got.Score < -1e10 {
			t.Errorf("%+v", got)
		}
		for _, s := range got.Symbols {
			if !symbol.MatchString(s) || !strings.Contains(string(answer), s) {
				t.Errorf("%q", s)
			}
		}
	})
}
