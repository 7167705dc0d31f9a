package expr

import (
	"regexp/syntax"
	"time"
)

// What matching costs, in steps of a budget. Package regexp takes time linear in
// the text, times the number of instructions that may be under way at once:
// near none of most expressions, all of some. A program above manyInstructions
// is charged as if all were.
const (
	manyInstructions = 64
	// compileCost is for each instruction of a program that must be compiled.
	compileCost = 64
)

// Budget is how many steps the rules of one message may cost: some seconds of
// expressions that are as dear as they can be, far more than a policy of ten
// thousand takes for any mail that was not made for it.
const Budget = 1 << 27

// cost is the price of looking for the expression in so many octets.
func (p *Pattern) cost(octets int) int { return (octets + 1) * p.perOctet() }

func (p *Pattern) perOctet() int {
	if p.only != nil {
		return 1
	}
	if p.size <= manyInstructions {
		return 1 + int(p.size)/16
	}
	return 1 + int(p.size)/2
}

// Dear tells whether the expression is of a size at which a long text that
// nearly matches takes much time.
func (p *Pattern) Dear() bool { return p.only == nil && p.size > dearFrom }

const dearFrom = 512

// Speed measures how many octets a second the expression is looked for in: in a
// text of letters and spaces, which keeps most of what is dear busy.
func (p *Pattern) Speed(now func() time.Time) int {
	const least = 20 * time.Millisecond
	sample := make([]byte, 0, 1<<12)
	for len(sample) < 1<<12-8 {
		sample = append(sample, "word oder "...)
	}
	re := p.cache.compile(p)
	start, octets := now(), 0
	for {
		re.Match(sample)
		octets += len(sample)
		if took := now().Sub(start); took >= least || octets >= 1<<26 {
			return int(float64(octets) / max(took.Seconds(), 1e-9))
		}
	}
}

// programSize is about how many instructions the compiled expression has.
func programSize(re *syntax.Regexp) int {
	const most = 1 << 20
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpRepeat:
		times := max(re.Max, re.Min+1)
		n = times * (programSize(re.Sub[0]) + 1)
	default:
		for _, sub := range re.Sub {
			n += 1 + programSize(sub)
		}
	}
	return min(n, most)
}
