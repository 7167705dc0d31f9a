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

// negotiate is the library's callback; it has no reason to fail, because the
// guard has seen to the version.
func (c *conn) negotiate(mtaVersion, _ uint32, mtaActions, _ gomilter.OptAction, mtaProtocol, _ gomilter.OptProtocol, _ gomilter.DataSize) (uint32, gomilter.OptAction, gomilter.OptProtocol, gomilter.DataSize, error) {
	a := agree(agreement{mtaVersion, mtaActions, mtaProtocol}, c.server.wants(), c.tcp && !quickACK)
	if missing := wantedActions &^ a.actions; missing != 0 {
		c.server.log.Warn("the MTA does not allow all changes a policy may ask for", "mta", c.name(), "missing", missing.String())
	}
	c.server.counts.session(c.server.clock())
	return a.version, a.actions, a.protocol, gomilter.DataSize64K, nil
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

// offersMacros tells whether a checked negotiation lets the milter name the
// macros it wants.
func offersMacros(raw []byte) bool {
	actions := gomilter.OptAction(binary.BigEndian.Uint32(raw[5+4:]))
	return actions&gomilter.OptSetMacros != 0
}
