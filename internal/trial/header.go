package trial

import (
	"bytes"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/internal/mail"
)

// edited is a header after the edits, carried out one after the other as the MTA
// does.
func edited(h mail.Header, edits []gate.Edit) mail.Header {
	out := append(mail.Header(nil), h...)
	for _, e := range edits {
		f := mail.Field{Name: e.Name, Value: e.Value}
		switch e.Kind {
		case gate.AppendField:
			out = append(out, f)
		case gate.InsertField:
			// Position 0 is above the Received field of the MTA, which is not
			// in the message yet.
			at := min(max(e.Index-1, 0), len(out))
			out = append(out[:at:at], append(mail.Header{f}, out[at:]...)...)
		case gate.ChangeField, gate.DeleteField:
			at := nth(out, e.Name, e.Index)
			switch {
			case at < 0:
			case e.Kind == gate.DeleteField:
				out = append(out[:at:at], out[at+1:]...)
			default:
				out[at].Value = e.Value
			}
		}
	}
	return out
}

// nth is where the index-th field of a name stands, from 1; -1 when there is
// none.
func nth(h mail.Header, name string, index int) int {
	for i, f := range h {
		if strings.EqualFold(f.Name, name) {
			if index--; index == 0 {
				return i
			}
		}
	}
	return -1
}

// block is how much of a body the MTA tells at once.
const block = 64 << 10

// eachBlock visits a body as it goes over the wire: lines end in CRLF (RFC 5321
// §2.3.8).
func eachBlock(body []byte, visit func([]byte)) {
	out := make([]byte, 0, block+2)
	for len(body) > 0 {
		line, rest, found := bytes.Cut(body, []byte("\n"))
		body = rest
		if found {
			line = bytes.TrimSuffix(line, []byte("\r"))
		}
		for len(line) > 0 {
			n := min(block-len(out), len(line))
			out = append(out, line[:n]...)
			if line = line[n:]; len(out) >= block {
				visit(out)
				out = out[:0]
			}
		}
		if found || len(out) > 0 && len(body) == 0 {
			out = append(out, '\r', '\n')
		}
		if len(out) >= block {
			visit(out)
			out = out[:0]
		}
	}
	if len(out) > 0 {
		visit(out)
	}
}

// changes are the fields that go and come.
func changes(before, after mail.Header) []Change {
	all := []Change{}
	left := make(map[mail.Field]int, len(after))
	for _, f := range after {
		left[f]++
	}
	for _, f := range before {
		if left[f] > 0 {
			left[f]--
			continue
		}
		all = append(all, Change{"-", f.Name, strings.TrimPrefix(f.Value, " ")})
	}
	for _, f := range after {
		if left[f] > 0 {
			left[f]--
			all = append(all, Change{"+", f.Name, strings.TrimPrefix(f.Value, " ")})
		}
	}
	return all
}
