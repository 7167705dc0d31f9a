package maillog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"
)

// entry is what a line of "journalctl -o json" has that is asked for.
type entry struct {
	Realtime   string          `json:"__REALTIME_TIMESTAMP"` // microseconds
	Identifier string          `json:"SYSLOG_IDENTIFIER"`    // "postfix/qmgr"
	Message    json.RawMessage `json:"MESSAGE"`              // text, or octets where it is no UTF-8
	// UID is of the process that wrote it; the journal says so, not the process
	// (systemd.journal-fields(7)). "": it is not known, as of another host's line.
	UID string `json:"_UID"`
}

// journal reads a line of "journalctl -o json"; false when it says nothing
// of a message in the queue. The time is that of the line, zero where it has
// none.
func (p *Parser) journal(line []byte) (Event, time.Time, bool) {
	var e entry
	if json.Unmarshal(line, &e) != nil {
		return Event{}, time.Time{}, false
	}
	us, err := strconv.ParseInt(e.Realtime, 10, 64)
	if err != nil {
		return Event{}, time.Time{}, false
	}
	at := time.UnixMicro(us).UTC()
	if uid, err := strconv.Atoi(e.UID); e.UID != "" && p.Writes != nil && (err != nil || !p.Writes(uid)) {
		return Event{}, at, false
	}
	var text string
	if json.Unmarshal(e.Message, &text) != nil {
		var octets []byte
		var numbers []uint8
		if json.Unmarshal(e.Message, &octets) != nil && json.Unmarshal(e.Message, &numbers) != nil {
			return Event{}, at, false
		}
		text = string(append(octets, numbers...))
	}
	event, ok := parseText(at, e.Identifier, text)
	return event, at, ok
}

// ParseAny reads a line of "journalctl -o json" or of a log. The time is that of
// the line, zero where it has none.
func (p *Parser) ParseAny(line []byte) (Event, time.Time, bool) {
	line = bytes.TrimRight(line, "\r\n")
	if len(line) > 0 && line[0] == '{' {
		return p.journal(line)
	}
	at, _, ok := p.time(string(line))
	if !ok {
		return Event{}, time.Time{}, false
	}
	e, ok := p.Parse(string(line))
	return e, at, ok
}

// ScanAny calls fn with every event of such lines.
func (p *Parser) ScanAny(r io.Reader, fn func(Event) error) error {
	b := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := b.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = b.ReadSlice('\n')
			line = nil // what is so long says nothing of a message
		}
		if e, _, ok := p.ParseAny(line); ok {
			if err := fn(e); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
