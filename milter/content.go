package milter

import (
	"bytes"
	"strings"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/rules"
)

// content takes the frames that make up nine in ten of a dialogue. Their
// answer, where the MTA wants one, is always "go on": what the header refuses
// is answered at the end of the message, because the client hears nothing
// before it.
func (s *session) content(f *frame) {
	var silent gomilter.OptProtocol
	switch f.code {
	case cmdMacro:
		s.takeMacros(f.data)
		return
	case cmdData:
		silent = gomilter.OptNoDataReply
		s.trace(note{event: "data"})
	case cmdHeader:
		silent = gomilter.OptNoHeaderReply
		s.header(f.data)
	case cmdEndHeader:
		silent = gomilter.OptNoEOHReply
		s.endOfHeader()
	case cmdBody:
		silent = gomilter.OptNoBodyReply
		s.body(f.data)
		if f.more {
			return
		}
	}
	if s.agreed.protocol&silent == 0 {
		s.conn.out = append(s.conn.out, 0, 0, 0, 1, byte(replyContinue))
	}
}

// replyContinue is SMFIR_CONTINUE.
const replyContinue = 'c'

// header takes one field: name and value, each with its NUL (checked).
func (s *session) header(data []byte) {
	if s.msg == nil {
		return
	}
	defer s.contentFault(rules.Headers)
	name := bytes.IndexByte(data, 0)
	var text string
	if s.agreed.protocol&gomilter.OptHeaderLeadingSpace != 0 {
		text = s.texts.keep(len(data), data)
	} else {
		// The MTA has eaten one space. RFC 5322 asks for none, but everybody
		// writes one.
		text = s.texts.keep(len(data)+1, data[:name+1], []byte{' '}, data[name+1:])
	}
	s.fields++
	s.msg.Header(text[:name], text[name+1:len(text)-1])
}

func (s *session) endOfHeader() {
	if s.msg == nil {
		return
	}
	defer s.contentFault(rules.Headers)
	s.msg.EndOfHeader(s.ctx)
	s.trace(note{event: "header", fields: s.fields})
}

func (s *session) body(p []byte) {
	if s.msg == nil {
		return
	}
	defer s.contentFault(rules.Complete)
	s.octets += int64(len(p))
	s.msg.Body(s.ctx, p)
}

// contentFault is deferred where a panic would otherwise end the connection;
// the message it concerns is answered at its end.
func (s *session) contentFault(stage rules.Stage) {
	if p := recover(); p != nil {
		s.fault(stage, p)
	}
}

const (
	// headerChunk is how much of a header is kept in one piece.
	headerChunk = 4 << 10
	// envelopeChunk is how much of what is said before it: a connection has that
	// much while it waits.
	envelopeChunk = 1 << 10
)

// kept keeps texts of an MTA as strings, many in one allocation: a string for each
// would be half of all allocations of a message.
type kept struct {
	size  int // of a chunk, in octets
	chunk *strings.Builder
}

// one keeps a text.
func (t *kept) one(text []byte) string { return t.keep(len(text), text) }

// keep returns the concatenation of parts, which together have n octets.
func (t *kept) keep(n int, parts ...[]byte) string {
	// A chunk never grows: the strings in it stay what they are.
	if t.chunk == nil || t.chunk.Cap()-t.chunk.Len() < n {
		t.chunk = new(strings.Builder)
		t.chunk.Grow(max(t.size, n))
	}
	from := t.chunk.Len()
	for _, p := range parts {
		t.chunk.Write(p)
	}
	return t.chunk.String()[from:]
}
