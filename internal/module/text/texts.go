package text

import (
	"slices"
	"strings"
)

// texts are of a bounded length together. None takes all of it: each has first half of
// what is left, so that whatever stands before a text, there is some of it.
type texts struct {
	all  []string
	size int
	cut  []cutText
	kept int  // octets of those
	lost bool // there was more than is kept
}

// cutText is a text that there may be room for in the end.
type cutText struct {
	at   int // of all
	rest string
}

// leastRoom is not divided any further.
const leastRoom = 1 << 10

// add adds a text once.
func (t *texts) add(text string, most int) {
	if text == "" || slices.Contains(t.all, text) {
		return
	}
	room := most - t.size
	if room > leastRoom {
		room = max(room/2, leastRoom)
	}
	if len(text) <= room {
		t.size += len(text)
		t.all = append(t.all, text)
		return
	}
	first := wholeRunes(text, room)
	if first == "" {
		t.lost = true
		return
	}
	// What is cut is kept apart: the text itself may be long.
	rest := wholeRunes(text[len(first):], most-t.kept)
	t.lost = t.lost || len(first)+len(rest) < len(text)
	t.kept += len(rest)
	t.size += len(first)
	t.cut = append(t.cut, cutText{len(t.all), strings.Clone(rest)})
	t.all = append(t.all, strings.Clone(first))
}

// fill gives what room is left to the texts that were cut, the first ones first; false
// where one remains so.
func (t *texts) fill(most int) bool {
	whole := !t.lost
	for _, c := range t.cut {
		more := wholeRunes(c.rest, most-t.size)
		t.size += len(more)
		t.all[c.at] += more
		whole = whole && len(more) == len(c.rest)
	}
	t.cut = nil
	return whole
}

// wholeRunes is the beginning of a text, without a part of a character at its end.
func wholeRunes(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && text[most]&0xc0 == 0x80 {
		most--
	}
	return text[:max(most, 0)]
}
