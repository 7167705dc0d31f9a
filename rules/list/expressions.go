package list

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tollgate-mail/tollgate/rules/expr"
)

// parsed is what has become of an expression.
type parsed struct {
	line     int // of its file
	source   string
	pattern  *expr.Pattern // nil with an error
	required expr.Required
	warning  string
	err      error
}

// parse reads the source.
func (p *parsed) parse(cache *expr.Cache) {
	if p.source == "" {
		p.err = errors.New("the expression is empty and would match everything")
		return
	}
	is, err := cache.Parse(p.source)
	if err != nil {
		p.err = err
		return
	}
	p.pattern, p.required = is.Pattern, is.Required()
	trouble := is.Trouble()
	// One that needs a literal is not compiled before it is needed.
	if p.required == "" && is.Match("", nil) && is.Match("\x01\uf8ff", nil) {
		trouble = append(trouble, fmt.Sprintf("/%s/ matches everything", p.source))
	}
	p.warning = strings.Join(trouble, "; ")
}

func (b *listBuilder) addPattern(source string) (warning string, err error) {
	if b.to != nil {
		return "", errExpression
	}
	p := parsed{source: source}
	p.parse(b.cache)
	b.take(&p)
	return p.warning, p.err
}

func (b *listBuilder) take(p *parsed) {
	if p.err != nil {
		return
	}
	b.list.patterns = append(b.list.patterns, p.pattern)
	b.required = append(b.required, p.required)
	b.list.size++
}

// Of a list of very many expressions, parsing them is nearly all that reading it costs:
// they are parsed by as many goroutines as there are processors, some thousands at a
// time, and taken in the order of the file.
const (
	atATime  = 8192
	inAPiece = 256
)

// parseLater has the expression of a line parsed with others.
func (b *listBuilder) parseLater(line int, source string, rep *reporter) {
	b.waiting = append(b.waiting, parsed{line: line, source: source})
	if len(b.waiting) == atATime {
		b.parseWaiting(rep)
	}
}

// parseWaiting parses those that wait, and tells what is wrong with them.
func (b *listBuilder) parseWaiting(rep *reporter) {
	var next atomic.Int64
	work := func() {
		for {
			to := int(next.Add(inAPiece))
			from := to - inAPiece
			if from >= len(b.waiting) {
				return
			}
			for i := range b.waiting[from:min(to, len(b.waiting))] {
				b.waiting[from+i].parse(b.cache)
			}
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(b.waiting)+inAPiece-1)/inAPiece) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	for i := range b.waiting {
		p := &b.waiting[i]
		b.take(p)
		if p.warning != "" {
			rep.tell(p.line, p.warning, true)
		}
		if p.err != nil {
			rep.tell(p.line, p.err.Error(), false)
		}
	}
	clear(b.waiting)
	b.waiting = b.waiting[:0]
}
