package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU times in /proc: USER_HZ, which is 100 on all that Linux
// runs on here.
const tick = 10 * time.Millisecond

// usage is what a process and its children have used, and hold.
type usage struct {
	cpu time.Duration
	kib int64 // proportional set size
}

// used sums over the process and its descendants.
func used(pid int) (usage, error) {
	all, err := os.ReadDir("/proc")
	if err != nil {
		return usage{}, err
	}
	parents := map[int]int{}
	times := map[int]time.Duration{}
	for _, e := range all {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		if parents[id], times[id], err = stat(text); err != nil {
			return usage{}, fmt.Errorf("process %d: %w", id, err)
		}
	}
	var sum usage
	for id := range parents {
		if !descends(id, pid, parents) {
			continue
		}
		sum.cpu += times[id]
		kib, err := held(id)
		if err != nil {
			return usage{}, err
		}
		sum.kib += kib
	}
	if sum.cpu == 0 && sum.kib == 0 {
		return usage{}, fmt.Errorf("there is no process %d", pid)
	}
	return sum, nil
}

// stat reads /proc/PID/stat (proc(5)); the name of the command may have anything in
// it, but nothing after it has a bracket.
func stat(text []byte) (parent int, cpu time.Duration, err error) {
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, fmt.Errorf("stat has %d fields", len(fields))
	}
	if parent, err = strconv.Atoi(fields[1]); err != nil {
		return 0, 0, err
	}
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(n) * tick
	}
	return parent, cpu, nil
}

func descends(id, from int, parents map[int]int) bool {
	for ; id > 1; id = parents[id] {
		if id == from {
			return true
		}
	}
	return false
}

// held is the memory of a process, what it shares divided among those that share it.
func held(pid int) (kib int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "Pss:"); ok {
			return strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
		}
	}
	return 0, nil
}
