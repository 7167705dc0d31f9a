package rules

// measure fills in what a rule that matched adds for each value, and what its
// tags and reply ask for.
func (e *evaluation) measure(h *Hit) {
	r := h.Rule
	if r.each != 0 {
		extra := r.each * Weight(e.matching(r.test))
		if extra > r.most || extra < -r.most {
			extra = r.most
			if r.each < 0 {
				extra = -r.most
			}
		}
		h.Weight += extra
	}
	if r.captures {
		h.Captures = e.captures(r.test)
	}
}

// matching is how many values of match and any hold.
func (e *evaluation) matching(t *test) int {
	n := 0
	for _, clause := range [...][]*condition{t.match, t.any} {
		for _, c := range clause {
			for _, leaf := range c.leaves() {
				n += e.values(leaf)
			}
		}
	}
	return n
}

// values is how many values of a condition hold: each expression and list by
// itself, all others together.
func (e *evaluation) values(c *condition) int {
	if c.key.Attr == RuleName {
		names, _ := e.ruleNames()
		n := 0
		for _, name := range names {
			for _, want := range c.rules {
				if name == want {
					n++
				}
			}
		}
		return n
	}
	a := e.ask(c.probe)
	if a.err != nil {
		return 0
	}
	n := 0
	for _, p := range c.patterns {
		for _, s := range a.texts {
			if p.Match(s, e.work) {
				n++
				break
			}
		}
	}
	for _, l := range c.lists {
		one := condition{key: c.key, kind: c.kind}
		one.lists = append(one.lists, l)
		if _, ok := one.findOther(&a.known, e.work); ok {
			n++
		}
	}
	rest := *c
	rest.lists = nil
	if _, ok := rest.findOther(&a.known, e.work); ok {
		n++
	} else if _, v := e.holdsRef(c, a); v == yes {
		n++
	}
	return n
}

// captures are the groups of the first expression of match and any that matches
// and has some.
func (e *evaluation) captures(t *test) []string {
	for _, clause := range [...][]*condition{t.match, t.any} {
		for _, c := range clause {
			for _, leaf := range c.leaves() {
				if leaf.key.Attr == RuleName {
					continue
				}
				a := e.ask(leaf.probe)
				for _, p := range leaf.patterns {
					if p.Groups() == 0 {
						continue
					}
					for _, s := range a.texts {
						if found := p.Captures(s, e.work); found != nil {
							return found[1:]
						}
					}
				}
			}
		}
	}
	return nil
}
