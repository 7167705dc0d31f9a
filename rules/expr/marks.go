package expr

import "github.com/tollgate-mail/tollgate/internal/budget"

// maxSightings bounds what is remembered of where literals were seen: a
// hostile header of many fields must not make a table of fields times rules.
// Expressions seen beyond it are tried on every text.
const maxSightings = 1 << 14

// Marks are the expressions of an index that one value may match, and on which
// of its texts. They are used again for the next value after Reset.
type Marks struct {
	seen    []int32 // of each literal: 1 + the number of the last text it was in
	first   []int32 // of each expression: 1 + its latest sighting, 0 none, everywhere
	verdict []int8  // of each expression: 0 not tried, 1 matches, -1 does not

	sightings []sighting
	literals  []int32 // that were seen
	patterns  []int32 // that were marked
	folded    []byte  // the text that is scanned
}

// sighting is a text in which an expression's literal was seen.
type sighting struct {
	text, next int32 // next: as first
}

const everywhere = -1

// NewMarks makes room for those of x.
func NewMarks(x *Index) Marks {
	return Marks{
		seen:    make([]int32, x.literals()),
		first:   make([]int32, x.count),
		verdict: make([]int8, x.count),
	}
}

// Begin has the expressions without literals tried on every text.
func (m *Marks) Begin(x *Index) {
	for _, p := range x.always {
		m.first[p] = everywhere
	}
}

// see notes that a literal stands in text number n.
func (m *Marks) see(literal, n int32, patterns []int32) {
	if m.seen[literal] == 0 {
		m.literals = append(m.literals, literal)
	}
	m.seen[literal] = n + 1
	for _, p := range patterns {
		first := m.first[p]
		switch {
		case first == everywhere || first > 0 && m.sightings[first-1].text == n:
			continue
		case first == 0:
			m.patterns = append(m.patterns, p)
		}
		if len(m.sightings) == maxSightings {
			m.first[p] = everywhere
			continue
		}
		m.sightings = append(m.sightings, sighting{text: n, next: first})
		m.first[p] = int32(len(m.sightings))
	}
}

// Marked are the expressions that scans have marked.
func (m *Marks) Marked() []int32 { return m.patterns }

// Matches tells whether expression p matches one of the texts, trying only
// those that were marked for it. Where b does not cover that, the answer is no.
func (m *Marks) Matches(p int32, re *Pattern, texts []string, b *budget.Budget) bool {
	if m.verdict[p] == 0 && m.first[p] != 0 {
		m.verdict[p] = -1
		if m.try(p, re, texts, b) {
			m.verdict[p] = 1
		}
	}
	return m.verdict[p] > 0
}

func (m *Marks) try(p int32, re *Pattern, texts []string, b *budget.Budget) bool {
	first := m.first[p]
	if first == everywhere {
		for _, s := range texts {
			if re.Match(s, b) {
				return true
			}
		}
		return false
	}
	for first > 0 {
		s := m.sightings[first-1]
		if re.only != nil || re.Match(texts[s.text], b) {
			return true
		}
		first = s.next
	}
	return false
}

// Reset forgets everything, at the cost of what was marked.
func (m *Marks) Reset(x *Index) {
	for _, l := range m.literals {
		m.seen[l] = 0
	}
	for _, p := range m.patterns {
		m.first[p], m.verdict[p] = 0, 0
	}
	for _, p := range x.always {
		m.first[p], m.verdict[p] = 0, 0
	}
	m.literals, m.patterns, m.sightings = m.literals[:0], m.patterns[:0], m.sightings[:0]
}
