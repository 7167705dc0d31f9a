package replay

import (
	"testing"

	"github.com/tollgate-mail/tollgate/internal/fieldtext"
)

// What TagSubject puts before a Subject is taken off again, whatever its charset.
func TestUntagged(t *testing.T) {
	for _, tag := range []string{"[SPAM?]", "[СПАМ?]", "[очень длинная метка, которая не помещается в одну строку заголовка]"} {
		for _, subject := range []string{"lottery", "=?UTF-8?B?0JLRiw==?= lottery", "Re: [list] x"} {
			value, _ := fieldtext.TagSubject(" "+subject, []string{tag}, "")
			if got := untagged(value, tag); got != " "+subject {
				t.Errorf("%q: %q", value, got)
			}
		}
		if got := untagged(" "+tag+" lottery", tag); got != " lottery" {
			t.Error(got)
		}
		if got := untagged(" "+tag+"x", tag); got != " "+tag+"x" {
			t.Error(got)
		}
	}
}
