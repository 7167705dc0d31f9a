package replay

import "github.com/tollgate-mail/tollgate/internal/journal"

// pending are entries that wait for that of their message: it is written last. Some
// never come (what is done to a message on hold, what other services scan); so the
// oldest make room for new ones.
type pending struct {
	most  int
	of    map[string][]journal.Entry
	order []string // references, the oldest first; some are taken by now
	// gone are references whose entries made room, as many as most of them.
	gone     map[string]bool
	goneList []string
}

func newPending(most int) *pending {
	return &pending{most: most, of: map[string][]journal.Entry{}, gone: map[string]bool{}}
}

func (p *pending) add(e journal.Entry) {
	if p.gone[e.Ref] {
		return
	}
	if _, ok := p.of[e.Ref]; !ok {
		p.order = append(p.order, e.Ref)
	}
	p.of[e.Ref] = append(p.of[e.Ref], e)
	for len(p.of) > p.most {
		p.drop()
	}
	if len(p.order) > 2*p.most { // mostly taken
		left := p.order[:0]
		for _, ref := range p.order {
			if _, ok := p.of[ref]; ok {
				left = append(left, ref)
			}
		}
		p.order = left
	}
}

// drop makes room of the oldest.
func (p *pending) drop() {
	ref := p.order[0]
	p.order = p.order[1:]
	if _, ok := p.of[ref]; !ok {
		return
	}
	delete(p.of, ref)
	p.gone[ref] = true
	if p.goneList = append(p.goneList, ref); len(p.goneList) > p.most {
		delete(p.gone, p.goneList[0])
		p.goneList = p.goneList[1:]
	}
}

// take gives the entries of a reference away; whole is false where they made room.
func (p *pending) take(ref string) (all []journal.Entry, whole bool) {
	all = p.of[ref]
	delete(p.of, ref)
	return all, !p.gone[ref]
}
