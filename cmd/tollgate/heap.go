package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// heapGrowth is how many percent the heap grows before it is collected.
	// What lives is a few MiB besides the policy's lists, so that with Go's
	// default of 100 a busy gateway spends a quarter of its time collecting.
	heapGrowth = 400
	// heapRoom is the memory beyond the policy itself from which on the
	// collector works harder instead of letting the heap grow so far.
	heapRoom = 256 << 20
)

// roomyHeap tunes the collector to what a policy takes. GOGC and GOMEMLIMIT in
// the environment say otherwise.
func roomyHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		debug.SetMemoryLimit(heapRoom + 2*int64(m.HeapAlloc))
	}
}
