package main

import (
	"strings"
	"testing"
)

func TestCauseOf(t *testing.T) {
	for _, c := range []struct{ want, frames string }{
		{"drain", "runtime.memmove " + module + "accounting.ParseRecord " + module + "accounting/spool.(*drain).read runtime.goexit"},
		{"records", module + "accounting.(*Record).AppendJSON " + module + "accounting/spool.appendFrame " + module + "milter.(*session).content"},
		{"system calls: drain", "internal/runtime/syscall/linux.Syscall6 os.(*File).pwrite go.etcd.io/bbolt.(*Tx).write"},
		{"system calls: reading", "internal/runtime/syscall/linux.Syscall6 net.(*conn).Read " + module + "milter.(*conn).read " + module + "milter.(*Server).converse"},
		{"wake-ups", "internal/runtime/syscall/linux.EpollWait runtime.netpoll runtime.findRunnable runtime.schedule"},
		{"wake-ups", "runtime.futex runtime.notewakeup runtime.schedule runtime.mcall"},
		{"decoding", "runtime.mallocgc " + module + "internal/mail.Decode " + module + "internal/gate.(*Message).subjects " + module + "rules.(*evaluation).ask"},
		{"rules", "runtime.systemstack runtime.newobject " + module + "rules.(*Policy).Evaluate " + module + "internal/gate.(*Session).try"},
		{"dialogue", module + "milter.(*input).next " + module + "milter.(*Server).converse"},
		{"collector", "runtime.scanObject runtime.gcDrain runtime.gcBgMarkWorker.func2 runtime.systemstack"},
		{"others", "main.child"},
	} {
		if got := causeOf(strings.Fields(c.frames)); got != c.want {
			t.Errorf("%s is %q, not %q", c.frames, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	const line = "-----------+-------------------------------------------------------\n"
	traces := "File: x\nType: cpu\n" + line +
		"      30ms   runtime.mallocgc\n             " + module + "rules.New (inline)\n" + line +
		"     1.17s   runtime.futex\n             runtime.schedule\n" + line
	var b strings.Builder
	if err := table(&b, traces, 100); err != nil {
		t.Fatal(err)
	}
	const want = "| wake-ups | 97.5 | 98 % |\n| rules | 2.5 | 2 % |\n| of all these, allocation | 2.5 | 2 % |\n"
	if !strings.HasSuffix(b.String(), want) {
		t.Errorf("%s", b.String())
	}
	if err := table(&b, "nothing", 100); err == nil {
		t.Error("no samples are no error")
	}
}
