package mail

import (
	"testing"
)

func TestFallbackCharset(t *testing.T) {
	for raw, want := range map[string]string{
		` text/plain; charset=koi8-r`:                                        "koi8-r",
		" text/plain; format=flowed;\n charset=\"x-y\"":                      "x-y",
		` text/plain; CHARSET*=us-ascii'en'utf-8`:                            "utf-8",
		` text/plain; name="a; charset=utf-16"; charset="koi8-r" (Cyrillic)`: "koi8-r",
		` text/plain; name="a\";charset=x"; charset=koi8-r (Cyrillic)`:       "koi8-r",
		` text/plain; charset = koi8-r ; format=flowed`:                      "koi8-r",
		` text/plain; charset='koi8-r'`:                                      "koi8-r",
		` text/plain; name="unclosed; charset=x`:                             "",
		` text/plain`:                                                        "",
		` text/plain; charset`:                                               "",
	} {
		if got := (Header{{"content-type", raw}}).FallbackCharset(); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}
