package milter

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"

	gomilter "github.com/d--j/go-milter"

	"github.com/tollgate-mail/tollgate/internal/gate"
)

// version is the newest protocol version spoken.
const version = 6

// agreement is what MTA and milter have agreed on.
type agreement struct {
	version  uint32
	actions  gomilter.OptAction
	protocol gomilter.OptProtocol
}

// wantedActions are the changes that edits need.
const wantedActions = gomilter.OptAddHeader | gomilter.OptChangeHeader | gomilter.OptQuarantine

// agree chooses from what the MTA offers, and takes nothing that it does not.
// Replies are the larger part of what a milter costs, so each stage at which
// nothing can be decided goes without one. replyToData keeps that of DATA.
func agree(offered agreement, w gate.Wants, replyToData bool) agreement {
	silent := func(wanted bool, o gomilter.OptProtocol) gomilter.OptProtocol {
		if wanted {
			return 0
		}
		return o
	}
	protocol := gomilter.OptHeaderLeadingSpace | // only with it the size is exact
		gomilter.OptRcptRej | // recipients the MTA refuses are journalled too
		gomilter.OptNoUnknown | gomilter.OptNoUnknownReply |
		silent(w.Connect, gomilter.OptNoConnReply) |
		silent(w.Helo, gomilter.OptNoHeloReply) |
		silent(w.MailFrom, gomilter.OptNoMailReply) |
		silent(w.Data || replyToData, gomilter.OptNoDataReply) |
		silent(w.Header, gomilter.OptNoHeaderReply) |
		silent(w.Headers, gomilter.OptNoEOHReply) |
		silent(w.Body, gomilter.OptNoBodyReply)
	return agreement{
		version:  min(offered.version, version),
		actions:  offered.actions & (wantedActions | gomilter.OptSetMacros),
		protocol: offered.protocol & protocol,
	}
}

// negotiate answers a checked negotiation.
func (c *conn) negotiate(data []byte) agreement {
	offered := readAgreement(data)
	a := agree(offered, c.server.wants(), c.tcp && !quickACK)
	if missing := wantedActions &^ a.actions; missing != 0 {
		c.server.log.Warn("the MTA does not allow all changes a policy may ask for", "mta", c.name(), "missing", missing.String())
	}
	c.server.counts.session(c.server.clock())
	c.begin(cmdNegotiate)
	for _, v := range [...]uint32{a.version, uint32(a.actions), uint32(a.protocol)} {
		c.out = binary.BigEndian.AppendUint32(c.out, v)
	}
	if offered.actions&gomilter.OptSetMacros != 0 {
		c.out = append(c.out, c.server.macros...)
	}
	c.finish()
	return a
}

// readAgreement reads what an MTA offers, or agrees to.
func readAgreement(data []byte) agreement {
	return agreement{
		version:  binary.BigEndian.Uint32(data),
		actions:  gomilter.OptAction(binary.BigEndian.Uint32(data[4:])),
		protocol: gomilter.OptProtocol(binary.BigEndian.Uint32(data[8:])),
	}
}

// wants asks the gate. Should that fail, every stage is answered.
func (s *Server) wants() (w gate.Wants) {
	defer func() {
		if p := recover(); p != nil {
			s.counts.faults.Add(1)
			s.log.Error("internal fault", "stage", "negotiation", "detail", fmt.Sprint(p), "stack", string(debug.Stack()))
			w = gate.Wants{Connect: true, Helo: true, MailFrom: true, Data: true, Header: true, Headers: true, Body: true}
		}
	}()
	return s.gate.Wants()
}
