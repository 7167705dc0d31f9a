package milter

import (
	"regexp"
	"strings"
	"testing"

	"github.com/d--j/go-milter/milterutil"
	"pgregory.net/rapid"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// Each line of a reply has both codes, however long the text is; a short one is written
// as the library writes it.
func TestRefusal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := gate.Reply{Code: rapid.SampledFrom([]int{450, 451, 550, 552}).Draw(t, "code")}
		if rapid.Bool().Draw(t, "enhanced") {
			r.Enhanced = string(rune('0'+r.Code/100)) + ".7." + rapid.SampledFrom([]string{"0", "1", "26", "509"}).Draw(t, "detail")
		}
		lines := rapid.SliceOfN(rapid.StringMatching(`[a-z][a-z %]{0,480}`), 1, 4).Draw(t, "lines")
		r.Text = strings.Join(lines, "\n")
		got := string(refusal(r).text)
		code := regexp.MustCompile(`^` + strings.TrimSpace(r.String()[:3]) + `[ -]` + regexp.QuoteMeta(r.Enhanced))
		written := strings.Split(strings.TrimSuffix(got, "\x00"), "\r\n")
		if len(written) != len(lines) {
			t.Fatalf("%d lines of %d: %q", len(written), len(lines), got)
		}
		for i, line := range written {
			if !code.MatchString(line) || !strings.HasSuffix(line, strings.ReplaceAll(lines[i], "%", "%%")) || (line[3] == '-') != (i < len(lines)-1) {
				t.Errorf("line %d is %q, of %q", i, line, lines[i])
			}
		}
		if len(r.Text) > 80 {
			return // there it cuts codes
		}
		n, reason := librarys(got)
		want, err := milterutil.FormatResponse(n, reason)
		if err != nil || got != want+"\x00" {
			t.Errorf("%q, the library writes %q (%v)", got, want, err)
		}
	})
}
