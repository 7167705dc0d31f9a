//go:build unix

package journal

import (
	"fmt"
	"log/syslog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// facilities are those of RFC 5424 §6.2.1 that syslog.conf knows by name.
func facilities() map[string]syslog.Priority {
	return map[string]syslog.Priority{
		"kern": syslog.LOG_KERN, "user": syslog.LOG_USER, "mail": syslog.LOG_MAIL, "daemon": syslog.LOG_DAEMON,
		"auth": syslog.LOG_AUTH, "syslog": syslog.LOG_SYSLOG, "lpr": syslog.LOG_LPR, "news": syslog.LOG_NEWS,
		"uucp": syslog.LOG_UUCP, "cron": syslog.LOG_CRON, "authpriv": syslog.LOG_AUTHPRIV, "ftp": syslog.LOG_FTP,
		"local0": syslog.LOG_LOCAL0, "local1": syslog.LOG_LOCAL1, "local2": syslog.LOG_LOCAL2, "local3": syslog.LOG_LOCAL3,
		"local4": syslog.LOG_LOCAL4, "local5": syslog.LOG_LOCAL5, "local6": syslog.LOG_LOCAL6, "local7": syslog.LOG_LOCAL7,
	}
}

// Facilities are the names that NewSyslog knows, sorted.
func Facilities() []string { return slices.Sorted(maps.Keys(facilities())) }

const (
	syslogQueue = 1024             // lines that may wait for the daemon
	syslogRetry = 10 * time.Second // between attempts to reach it
	syslogLast  = 2 * time.Second  // how long closing waits for it
)

// lineWriter is what takes the lines: *syslog.Writer.
type lineWriter interface {
	Notice(line string) error
	Close() error
}

// syslogger hands lines to the syslog daemon from a goroutine of its own: a
// daemon that is away or slow costs lines there, never mail.
type syslogger struct {
	dial    func() (lineWriter, error)
	lines   chan string
	stop    chan struct{}
	done    chan struct{}
	dropped atomic.Int64
}

// Syslog sends blocks to the syslog daemon.
type Syslog struct{ *syslogger }

// NewSyslog sends with that facility; "" is nil, nothing. It sends from when a
// journal has it.
func NewSyslog(facility string) (*Syslog, error) {
	if facility == "" {
		return nil, nil
	}
	f, ok := facilities()[facility]
	if !ok {
		return nil, fmt.Errorf("journal: no syslog facility %q", facility)
	}
	return &Syslog{newSyslogger(func() (lineWriter, error) {
		w, err := syslog.New(f|syslog.LOG_NOTICE, "tollgate")
		if err != nil {
			return nil, err // not w: a nil *Writer is not a nil interface
		}
		return w, nil
	})}, nil
}

// SetSyslog sends each block as one line to syslog too; nil ends it. What waits
// for the one before goes out in the background, for a short while.
func (j *Journal) SetSyslog(next *Syslog) {
	var sender *syslogger
	if next != nil {
		sender = next.syslogger
		go sender.run()
	}
	if old := j.syslog.Swap(sender); old != nil {
		j.ending.Go(old.close)
	}
}

func newSyslogger(dial func() (lineWriter, error)) *syslogger {
	return &syslogger{dial: dial, lines: make(chan string, syslogQueue), stop: make(chan struct{}), done: make(chan struct{})}
}

// send never waits.
func (s *syslogger) send(e *Entry) {
	select {
	case s.lines <- syslogLine(e):
	default:
		s.dropped.Add(1)
	}
}

func (s *syslogger) run() {
	defer close(s.done)
	var w lineWriter
	var tried time.Time
	defer func() {
		if w != nil {
			// Nothing is buffered there: there is nothing to lose.
			_ = w.Close()
		}
	}()
	for {
		var line string
		select {
		case line = <-s.lines:
		default:
			select {
			case line = <-s.lines:
			case <-s.stop:
				return
			}
		}
		if w == nil && (tried.IsZero() || time.Since(tried) >= syslogRetry) {
			tried = time.Now()
			if made, err := s.dial(); err == nil {
				w = made
			}
		}
		if w == nil {
			s.dropped.Add(1)
			continue
		}
		if err := w.Notice(line); err != nil {
			s.dropped.Add(1)
			_ = w.Close() // a new one is made for a later line
			w = nil
		}
	}
}

// close lets what waits go out, for a short while.
func (s *syslogger) close() {
	close(s.stop)
	timer := time.NewTimer(syslogLast)
	defer timer.Stop()
	select {
	case <-s.done:
	case <-timer.C:
	}
}

// syslogLine is a block in one line: key=value, texts of outsiders bounded
// and without control characters.
func syslogLine(e *Entry) string {
	var b strings.Builder
	b.WriteString(e.Verdict)
	for _, f := range [...]struct{ name, value string }{
		{"ref", e.Ref}, {"queue_id", e.QueueID}, {"client", e.ClientHost + "[" + e.ClientIP + "]"}, {"helo", e.Helo},
		{"from", "<" + e.Sender + ">"}, {"to", "<" + e.Recipient + ">"},
		{"stage", e.Stage}, {"rule", e.Rule}, {"reason", e.Reason}, {"reply", e.Reply},
	} {
		if f.value == "" {
			continue
		}
		b.WriteString(" " + f.name + "=")
		if strings.ContainsFunc(f.value, func(r rune) bool { return r == ' ' || r == '"' || r == '=' || !unicode.IsPrint(r) }) {
			b.WriteString(strconv.QuoteToGraphic(cut(f.value)))
		} else {
			b.WriteString(cut(f.value))
		}
	}
	return b.String()
}

// cut bounds one field: receivers cut whole lines (RFC 5424 §6.1).
func cut(s string) string {
	const most = 256
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
