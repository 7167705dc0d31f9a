package list

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/rules/expr"
)

// BenchmarkReadExpressions reads lists of 100,000 expressions: of one shape, and of
// several.
func BenchmarkReadExpressions(b *testing.B) {
	for name, shapes := range map[string][]string{
		"one":     {`\bword-(\w+)-word%d\b`},
		"several": {`\boffer[0-9]{2,5}word%d\b`, `^cheap.*pills%d$`, `(?:best|last)-chance%d`, `click\s+here%d`, `win%d@prize\.example`},
	} {
		b.Run(name, func(b *testing.B) {
			var text strings.Builder
			for n := range 100_000 {
				fmt.Fprintf(&text, shapes[n%len(shapes)]+"\n", n)
			}
			b.ReportAllocs()
			for b.Loop() {
				if l, problems := Read("", strings.NewReader(text.String()), Expressions, expr.NewCache(expr.DefaultCache)); len(problems) > 0 || l.size != 100_000 {
					b.Fatal(l.size, problems)
				}
			}
		})
	}
}
