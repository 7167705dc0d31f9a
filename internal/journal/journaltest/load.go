// Package journaltest generates journals of any length.
package journaltest

import (
	"bufio"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// Load is a journal of messages as a gateway writes it. The same load is the same
// octets.
type Load struct {
	Seed  uint64
	Lines int
	Start time.Time
	// Recipients is how many mailboxes there are; 0: 2,000.
	Recipients int
}

var letters = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Ref is the reference of a line.
func Ref(seed uint64, line int) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], (uint64(line)+seed<<32)*0x9e3779b97f4a7c15)
	return letters.EncodeToString(b[:])[:12]
}

// QueueID is the queue id of a line.
func QueueID(seed uint64, line int) string {
	return fmt.Sprintf("%010X", ((uint64(line)+seed<<32)*0xff51afd7ed558ccd)>>24)
}

// Sender is the address that line has, which no other line of the load has.
func Sender(seed uint64, line int) string {
	return fmt.Sprintf("bounce-%s@mx%d.mailer%d.example", strings.ToLower(QueueID(seed^7, line)), line%7, line%4000)
}

var words = strings.Fields(`invoice report meeting newsletter offer order shipment reminder holiday password account update weekly
	Счёт отчёт встреча договор оплата заказ доставка напоминание отпуск новости квартал поставка акт сверки
	Rechnung Bestellung Lieferung Termin Angebot Kündigung Grüße façade résumé コーヒー 会議 請求書`)

// Write writes the lines.
func Write(w io.Writer, l Load) error {
	rnd := rand.New(rand.NewPCG(l.Seed, 1))
	if l.Recipients == 0 {
		l.Recipients = 2000
	}
	out := bufio.NewWriterSize(w, 1<<20)
	t := l.Start
	for n := range l.Lines {
		t = t.Add(time.Duration(rnd.IntN(200)) * time.Millisecond)
		var subject []string
		for range 2 + rnd.IntN(5) {
			subject = append(subject, words[rnd.IntN(len(words))])
		}
		site := rnd.IntN(5000)
		e := journal.Entry{
			Time: t, Kind: journal.Messages, Gateway: "mx1.example.org", Policy: "4a1b6c0de3f2", Ref: Ref(l.Seed, n), QueueID: QueueID(l.Seed, n),
			MessageID: fmt.Sprintf("<%d.%x@mail%d.example>", t.Unix(), rnd.Uint64(), site), ClientIP: fmt.Sprintf("192.0.%d.%d", site/250, site%250),
			ClientHost: fmt.Sprintf("out%d.mail%d.example", site%3, site), Helo: fmt.Sprintf("out%d.mail%d.example", site%3, site), TLS: "TLSv1.3",
			Direction: "inbound", Sender: Sender(l.Seed, n), Recipients: []string{fmt.Sprintf("user%d@example.org", rnd.IntN(l.Recipients))},
			Subject: strings.Join(subject, " "), Size: int64(rnd.IntN(100000)), Stage: "complete", Verdict: "accept", Weight: "0.5",
			Rules: []journal.RuleHit{
				{Name: "sender-has-mx", Stage: "mailfrom", Weight: "-0.5", Attribute: "sender_mx", Text: "ok"},
				{Name: "newsletter", Stage: "headers", Weight: "1", Attribute: "header.List-Id", Text: "list"},
			},
			Reply: "250 2.0.0 Ok",
		}
		line, err := e.MarshalJSON()
		if err != nil {
			return err
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}
