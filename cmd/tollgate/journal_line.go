package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/tollgate-mail/tollgate/internal/journal"
)

// columns are those of a line: when, what became of it, by which reference and
// queue id to ask further, whose, why.
const columns = "%-19s  %-13s  %-12s  %-14s  %s"

// terminal prints lines for people.
type terminal struct {
	out    io.Writer
	zone   *time.Location
	width  int // of the terminal; 0: nobody looks at one
	colour bool
	begun  bool
	room   []byte // for a line
}

// terminal is where the command prints: as wide as the window and in colour,
// where one looks at one.
func (a *app) terminal(zone *time.Location) *terminal {
	t := &terminal{out: a.out, zone: zone}
	f, ok := a.out.(*os.File)
	if !ok {
		return t
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return t
	}
	t.width = int(size.Col)
	t.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return t
}

// zoneName names the zone of all times for a head line.
func zoneName(zone *time.Location, now time.Time) string {
	name, _ := now.In(zone).Zone()
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		name = "UTC" + name
	}
	return name
}

func (t *terminal) story(s *story) error {
	if !t.begun {
		t.begun = true
		head := fmt.Sprintf(columns, "TIME ("+zoneName(t.zone, s.first.Time)+")", "WHAT", "REF", "QUEUE ID", "MAIL")
		if _, err := fmt.Fprintln(t.out, head); err != nil {
			return away(err)
		}
	}
	if s.message != nil || len(s.blocks)+len(s.scans) > 0 {
		e, what, text := s.summary(t.zone)
		return t.line(e, what, text)
	}
	if len(s.hands) > 0 {
		if err := t.line(&s.hands[0], s.hands[0].Verdict, s.handLine(t.zone)); err != nil {
			return err
		}
	}
	for i := range s.beside {
		e := &s.beside[i]
		if err := t.line(e, besideWhat(e), besideLine(e)); err != nil {
			return err
		}
	}
	for i := range s.looks {
		if err := t.line(&s.looks[i], "look", lookLine(&s.looks[i])); err != nil {
			return err
		}
	}
	for i := range s.traces {
		if err := t.line(&s.traces[i], "trace", traceLine(&s.traces[i])); err != nil {
			return err
		}
	}
	return nil
}

// line prints one line, in the colour of what became of the mail.
func (t *terminal) line(e *journal.Entry, what, text string) error {
	b := e.Time.In(t.zone).AppendFormat(t.room[:0], time.DateTime)
	b = appendColumn(b, visible(what), 13)
	b = appendColumn(b, or(e.Ref), 12)
	b = appendColumn(b, or(e.QueueID), 14)
	b = append(append(b, "  "...), visible(text)...)
	if t.width > 0 && utf8.RuneCount(b) > t.width {
		b = append(b[:0], string([]rune(string(b))[:t.width-1])+"…"...)
	}
	if t.colour {
		if colour := colourOf(strings.Fields(what + " -")[0]); colour != "" {
			b = append([]byte(colour), append(b, "\x1b[0m"...)...)
		}
	}
	t.room = append(b, '\n')
	_, err := t.out.Write(t.room)
	return away(err)
}

// appendColumn appends one of [columns]: two spaces, and the text at least so many
// characters wide.
func appendColumn(b []byte, text string, width int) []byte {
	b = append(append(b, "  "...), text...)
	for n := utf8.RuneCountInString(text); n < width; n++ {
		b = append(b, ' ')
	}
	return b
}

// colourOf is what makes a terminal show a line of that verdict in its colour; "" for
// none.
func colourOf(verdict string) string {
	switch verdict {
	case "reject":
		return "\x1b[31m"
	case "tempfail", "greylist":
		return "\x1b[33m"
	case "discard", "hold":
		return "\x1b[35m"
	case "scan":
		return "\x1b[36m"
	}
	return ""
}

// summary is a story in one line: the entry it is told by, what became of the
// message, and the rest.
func (s *story) summary(zone *time.Location) (e *journal.Entry, what, text string) {
	switch {
	case s.message != nil:
		e = s.message
		if e.QueueID == "" && s.first.QueueID != "" {
			named := *e
			named.QueueID, e = s.first.QueueID, &named
		}
		what, text = e.Verdict, route(e)+messageLine(e)
	case len(s.blocks) > 0:
		e = &s.blocks[0]
		what, text = e.Verdict, route(e)+blockLine(e)
	default:
		e = &s.scans[0]
		return e, "scan " + e.Result, scanLine(e)
	}
	if len(s.blocks)+len(s.scans)+len(s.beside)+len(s.hands) == 0 {
		return e, what, text // nearly all
	}
	var b strings.Builder
	b.WriteString(text)
	told := map[string]bool{withoutRef(e.Reply): true}
	left := 0
	for _, block := range s.blocks {
		reply := withoutRef(block.Reply)
		if told[reply] && (s.message == nil || block.Verdict == e.Verdict) {
			continue
		}
		told[reply] = true
		if left++; left > 3 {
			continue
		}
		fmt.Fprintf(&b, "; <%s> %s: %s", shorten(block.Recipient, 100), block.Verdict, shorten(reply, 100))
	}
	if left > 3 {
		fmt.Fprintf(&b, "; and %d more", left-3)
	}
	for _, scan := range s.scans {
		said := scan.Signature
		if said == "" {
			said = scan.Reason
		}
		if scan.Result != journal.Clean && (said == "" || !strings.Contains(e.Reason+" "+e.Detail, said)) {
			fmt.Fprintf(&b, "; %s by %s: %s", scan.Result, scan.Engine, shorten(said, 100))
		}
	}
	for i := range s.beside {
		b.WriteString("; " + besideText(&s.beside[i]))
	}
	for _, d := range s.deeds() {
		b.WriteString("; " + d.text(zone))
	}
	if end := s.ending(); end != "" && what == "hold" {
		what = end
	}
	return e, what, b.String()
}

func or(s string) string {
	if s == "" {
		return "-"
	}
	return visible(s)
}

// fewRecipients are named; of more, how many.
const fewRecipients = 10

// route is from whom to whom.
func route(e *journal.Entry) string {
	to := e.Recipients
	if e.Kind == journal.Blocks {
		to = []string{e.Recipient}
	}
	more := ""
	if len(to) > fewRecipients {
		more = fmt.Sprintf(" and %d more", len(to)-fewRecipients)
		to = to[:fewRecipients]
	}
	recipients := "nobody"
	if len(to) > 0 {
		recipients = bracketed(to) + more
	}
	return "<" + shorten(e.Sender, 100) + "> -> " + recipients
}

// bracketed are addresses as protocols write them.
func bracketed(all []string) string {
	var b strings.Builder
	for i, r := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("<" + shorten(r, 100) + ">")
	}
	return b.String()
}

func messageLine(e *journal.Entry) string {
	var b strings.Builder
	if e.Subject != "" {
		b.WriteString("; " + strconv.Quote(shorten(e.Subject, 60)))
	}
	if e.Size > 0 {
		b.WriteString("; " + bytesize(e.Size))
	}
	if e.Weight != "" && e.Weight != "0" {
		b.WriteString("; weight " + e.Weight)
	}
	if len(e.Tags) > 0 {
		fmt.Fprintf(&b, "; tagged %s", shorten(few(e.Tags, 4), 200))
	}
	why(&b, e)
	if text := shadowText(e.Rules); text != "" {
		fmt.Fprintf(&b, "; shadow rules: %s", shorten(text, 200))
	}
	return b.String()
}

func blockLine(e *journal.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "; from %s[%s]", shorten(e.ClientHost, 100), e.ClientIP)
	why(&b, e)
	return b.String()
}

// scanLine is what was scanned, for whom, and what came of it. Of other
// services than ours there may be no sender.
func scanLine(e *journal.Entry) string {
	var b strings.Builder
	if e.Service == "smtp" {
		b.WriteString(route(e) + "; ")
	}
	fmt.Fprintf(&b, "%s: %s", e.Service, shorten(e.Object, 200))
	if e.Signature != "" {
		fmt.Fprintf(&b, "; %s", shorten(e.Signature, 200))
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, "; %s", shorten(e.Reason, 200))
	}
	fmt.Fprintf(&b, "; %s by %s in %d ms", e.Action, e.Engine, e.DurationMS)
	return b.String()
}

// why is what decided: where, by which rule, what was answered.
func why(b *strings.Builder, e *journal.Entry) {
	if e.Stage != "" {
		b.WriteString("; at " + e.Stage)
	}
	if e.Reason != "" {
		fmt.Fprintf(b, ": %s", shorten(e.Reason, 200))
	}
	if e.Rule != "" && !strings.Contains(e.Reason, e.Rule) {
		fmt.Fprintf(b, " (rule %s)", e.Rule)
	}
	if e.Reply != "" {
		fmt.Fprintf(b, "; answered %s", shorten(withoutRef(e.Reply), 300))
	}
	if e.Detail != "" {
		fmt.Fprintf(b, "; %s", shorten(e.Detail, 200))
	}
}

var refAtEnd = regexp.MustCompile(` \(ref [^ )]*\)$`)

// withoutRef is a reply less the reference, which has a column of its own.
func withoutRef(reply string) string {
	if !strings.HasSuffix(reply, ")") {
		return reply
	}
	return refAtEnd.ReplaceAllString(reply, "")
}

func traceLine(e *journal.Entry) string {
	var parts []string
	for _, s := range []string{e.Event, e.ClientIP, e.Stage, e.Rule, e.Detail} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "  ")
}
