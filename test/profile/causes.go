package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// cause is what time is spent on: of frames whose names begin with one of the words.
type cause struct {
	name  string
	words []string
}

const module = "github.com/tollgate-mail/tollgate/"

// whole are causes of whatever happens below one of their frames. The first counts
// that fits.
var whole = []cause{
	{"collector", []string{"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart", "runtime.(*sweepLocked)"}},
	{"drain", []string{module + "accounting/spool.(*drain)", module + "accounting/spool.(*Spool).Drain", module + "accounting/embedded", module + "accounting/redis", "go.etcd.io/bbolt"}},
	{"sync", []string{module + "accounting/spool.(*writer)", module + "accounting/spool.osFiles"}},
	{"journal", []string{module + "internal/journal", module + "internal/gate.(*Message).record"}},
}

// causes are those of everything else: that of the innermost frame that has one.
var causes = []cause{
	{"records", []string{module + "accounting", module + "internal/gate.(*Message).usage", module + "internal/gate.(*Message).payers"}},
	{"macros", []string{module + "milter.(*session).takeMacros", module + "milter.(*macros)"}},
	{"rules", []string{module + "rules"}},
	{"decoding", []string{module + "internal/gate/header", module + "internal/mail", module + "internal/fieldtext", module + "internal/charset"}},
	{"addresses and clients", []string{module + "internal/address", module + "internal/directory", module + "internal/gate.(*Message).newRecipient"}},
	{"judgement, the rest", []string{module + "internal/gate", module + "internal/tape", module + "internal/daemon", module + "internal/outcome"}},
	{"connections", []string{module + "milter.(*Server)", module + "milter.newConn", module + "milter.newSession", module + "milter.(*conn).Close"}},
	{"dialogue", []string{module + "milter"}},
	{"library", []string{"github.com/d--j/go-milter"}},
	{"wake-ups", []string{"runtime.schedule", "runtime.findRunnable", "runtime.mcall", "runtime.mstart", "runtime.sysmon", "runtime.netpoll", "runtime.systemstack"}},
}

// systemCalls are the causes of system calls, by the frame that made them.
var systemCalls = []cause{
	{"system calls: reading", []string{module + "milter.(*conn).read"}},
	{"system calls: writing", []string{module + "milter.(*conn).write"}},
	{"system calls: sync", []string{module + "accounting/spool.(*writer)", module + "accounting/spool.osFiles"}},
	{"system calls: drain", []string{module + "accounting", "go.etcd.io/bbolt"}},
	{"system calls: journal", []string{module + "internal/journal"}},
	{"system calls: connections", []string{module + "milter"}},
	{"wake-ups", []string{"runtime."}},
}

const (
	others     = "others"
	allocation = "of all these, allocation"
)

// causeOf has the frames of a sample, the innermost first.
func causeOf(frames []string) string {
	first := whole
	if leaf := frames[0]; strings.Contains(leaf, "syscall") || strings.HasSuffix(leaf, ".EpollWait") {
		first = systemCalls
	}
	for _, c := range first {
		if slices.ContainsFunc(frames, func(f string) bool { return hasOne(f, c.words) }) {
			return c.name
		}
	}
	for _, f := range frames {
		for _, c := range causes {
			if hasOne(f, c.words) && (c.name != "wake-ups" || !within(frames)) {
				return c.name
			}
		}
	}
	return others
}

// within tells whether code of ours or of a library is among the frames: what the
// runtime does for it is its cost.
func within(frames []string) bool {
	return slices.ContainsFunc(frames, func(f string) bool { return strings.HasPrefix(f, module) || strings.HasPrefix(f, "go.etcd.io") })
}

func hasOne(frame string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(frame, w) })
}

// table writes what go tool pprof -traces says as microseconds a message by cause;
// all is the whole of a message.
func table(w io.Writer, traces string, all float64) error {
	spent := make(map[string]time.Duration)
	var sum time.Duration
	for _, block := range strings.Split(traces, "-----------+-------------------------------------------------------\n")[1:] {
		value, rest, ok := strings.Cut(strings.TrimSpace(block), " ")
		d, err := time.ParseDuration(value)
		if !ok || err != nil {
			continue // the legend
		}
		var frames []string
		for line := range strings.Lines(rest) {
			if f := strings.TrimSuffix(strings.TrimSpace(line), " (inline)"); f != "" {
				frames = append(frames, f)
			}
		}
		if len(frames) == 0 {
			continue
		}
		sum += d
		spent[causeOf(frames)] += d
		if slices.Contains(frames, "runtime.mallocgc") {
			spent[allocation] += d
		}
	}
	if sum == 0 {
		return fmt.Errorf("no samples in %d octets of traces", len(traces))
	}
	names := make([]string, 0, len(spent))
	for name := range spent {
		if name != allocation {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return int(spent[b] - spent[a]) })
	fmt.Fprintf(w, "| cause | µs a message | share |\n|---|---:|---:|\n")
	for _, name := range append(names, allocation) {
		share := float64(spent[name]) / float64(sum)
		fmt.Fprintf(w, "| %s | %.1f | %.0f %% |\n", name, share*all, 100*share)
	}
	return nil
}
