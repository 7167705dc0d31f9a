package daemon

import (
	"os"
	"runtime"
	"runtime/debug"
)

const (
	// heapMost is how many percent the heap grows at most before it is
	// collected. What lives is a few MiB besides the policy's lists, so that
	// with Go's default of 100 a busy gateway spends its time collecting.
	heapMost = 400
	// heapRoom is about how many bytes of garbage are worth that time: a large
	// policy does not make them more.
	heapRoom = 64 << 20
	// heapLimit is the memory beyond the policy itself from which on the
	// collector works harder instead of letting the heap grow.
	heapLimit = 256 << 20
)

// roomyHeap tunes the collector to what a policy takes, and gives back what
// loading it took. GOGC and GOMEMLIMIT in the environment say otherwise.
func roomyHeap() {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth(m.HeapAlloc))
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapLimit + 2*int64(m.HeapAlloc))
	}
}

// heapGrowth is the percentage for a heap of which live bytes are in use.
func heapGrowth(live uint64) int {
	return int(min(heapMost, max(100, heapRoom*100/max(live, 1))))
}
