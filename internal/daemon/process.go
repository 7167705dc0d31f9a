package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/confine"
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

// loadGrowth is how many percent the heap grows while a policy is loaded: a large one
// takes twice its own size otherwise, and it is loaded once.
const loadGrowth = 70

// LoadingHeap has memory matter more than the processor while a policy is loaded,
// until a daemon runs. GOGC in the environment says otherwise.
func LoadingHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(loadGrowth)
	}
}

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

// ConfinementStatus is what the daemon has given up.
type ConfinementStatus struct {
	Setting string `json:"setting"` // of the policy that it was started with
	ABI     int    `json:"abi"`     // of Landlock that is in force; 0: it is not confined
	Error   string `json:"error"`   // why it is not, where it should be
	Fault   bool   `json:"fault"`   // this kernel could
}

// String is for eyes.
func (c ConfinementStatus) String() string {
	switch {
	case c.ABI > 0:
		return fmt.Sprintf("to its files, by Landlock ABI %d", c.ABI)
	case c.Error != "":
		return "no: " + c.Error
	case c.Setting == config.ConfineOff:
		return `no: [gateway] confine is "off"`
	}
	return "no"
}

// bounds are the files that a daemon needs after it has started with a policy.
func bounds(file string, cfg *config.Config) confine.Bounds {
	b := confine.Bounds{Read: append(confine.System(), cfg.ReadPaths...), Write: []string{cfg.StateDir, cfg.JournalDir}}
	b.Add(file)
	b.Add(cfg.Files...)
	if m := cfg.FollowMaillog; filepath.IsAbs(m) {
		b.Add(m)
	}
	for _, addr := range cfg.Listen {
		// Its socket is removed at the end, and made anew when somebody took it away.
		if path, ok := strings.CutPrefix(addr, "unix:"); ok {
			b.Write = append(b.Write, filepath.Dir(path))
		}
	}
	return b
}

// confine gives up what is not needed any more.
func (d *Daemon) confine(cfg *config.Config) error {
	d.confined.Setting = cfg.Confine
	if cfg.Confine == config.ConfineOff {
		return nil
	}
	b := bounds(d.file, cfg)
	b.Pin()
	abi, err := confine.Restrict(b)
	switch {
	case err == nil:
		d.confined.ABI, d.within = abi, &b
		d.log.Info("confined to its files", "landlock", abi)
		return nil
	case cfg.Confine == config.ConfineRequired:
		return fmt.Errorf("confine = %q: %w", cfg.Confine, err)
	case errors.Is(err, confine.ErrUnsupported):
		// "on" is where the kernel can.
		d.log.Info("not confined", "error", err)
	default:
		d.log.Error("not confined", "error", err)
		d.confined.Fault = true
	}
	d.confined.Error = err.Error()
	return nil
}

// load loads a policy as far as the daemon can.
func (d *Daemon) load(file string) (*config.Config, []ProblemRow, bool) {
	if d.within == nil {
		cfg, problems := config.Load(file)
		return cfg, ProblemRows(problems), problems.Err() == nil
	}
	if err := d.within.Reads(file); err != nil {
		return nil, []ProblemRow{{File: file, Severity: "error", Message: err.Error()}}, false
	}
	cfg, problems := config.LoadWithin(file, d.within.Reads)
	rows := ProblemRows(problems)
	if problems.Err() != nil {
		return nil, rows, false
	}
	if err := d.within.Writes(cfg.JournalDir); err != nil {
		_ = cfg.Close() // was only read
		return nil, append(rows, ProblemRow{File: file, Severity: "error", Message: fmt.Sprintf("[journal] dir %s: %v", cfg.JournalDir, err)}), false
	}
	return cfg, rows, true
}

// unitUser is whom the unit, the rc script and the packages have the daemon run as.
const unitUser = "tollgate"

// asRoot tells of a daemon that runs as root where there is a user for it: what it
// writes it could not read when it is started as that user the next time. "" for
// nothing to tell.
func asRoot(uid int, lookup func(name string) (*user.User, error)) string {
	if uid != 0 {
		return ""
	}
	if _, err := lookup(unitUser); err != nil {
		return ""
	}
	return fmt.Sprintf("it runs as root, though there is a user %s: files it makes keep it from starting as that user; stop it and start it as a service", unitUser)
}

func runsAsRoot() string { return asRoot(os.Geteuid(), user.Lookup) }

// notifier tells the service manager what the daemon is at, by the protocol of
// sd_notify(3). Where there is no such manager it does nothing.
type notifier struct{ socket string }

// newNotifier takes the manager's socket from the environment.
func newNotifier() notifier { return notifier{os.Getenv("NOTIFY_SOCKET")} }

const (
	notifyReady     = "READY=1"
	notifyReloading = "RELOADING=1"
	notifyStopping  = "STOPPING=1"
)

func (n notifier) tell(state string) error {
	if n.socket == "" {
		return nil
	}
	// A leading @ is the abstract name space, which net understands as well.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("service manager cannot be told: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("service manager cannot be told: %w", err)
	}
	return nil
}
