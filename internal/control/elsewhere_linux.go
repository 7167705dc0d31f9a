package control

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Elsewhere are the state folders, but this one, whose daemons may be asked: root listens
// there, or who asks, or where root asks this program under an account of the system. It
// is for who has written another state_dir into a policy than that of the daemon that runs
// by it.
func Elsewhere(ctx context.Context, stateDir string) []string {
	table, err := os.Open("/proc/net/unix")
	if err != nil {
		return nil
	}
	defer table.Close()
	own, _ := filepath.Abs(stateDir)
	var dirs []string
	for _, dir := range foldersIn(table) {
		if dir != own && !slices.Contains(dirs, dir) && sameProgram(ctx, SocketPath(dir)) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// foldersIn are the folders of control sockets that are listened on, of the table
// that the kernel has of all (proc(5)).
func foldersIn(table io.Reader) (dirs []string) {
	const (
		fields, flags = 7, 3 // before the path
		listens       = "00010000"
		most          = 64 // of one machine
	)
	lines := bufio.NewScanner(table)
	for lines.Scan() && len(dirs) < most {
		line := strings.Fields(lines.Text())
		if len(line) <= fields || line[flags] != listens {
			continue
		}
		_, path, _ := strings.Cut(lines.Text(), " "+line[fields-1]+" ")
		path = strings.TrimSpace(path)
		if base := filepath.Base(path); filepath.IsAbs(path) && (base == socketName || base == bindName) {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	return dirs
}

// firstOfPeople is the first uid of people's accounts: those below are of the system.
const firstOfPeople = 1000

// sameProgram tells whether what listens on a socket is this program: anybody may make a
// socket with a name, and answer there. Which program a process is proves nothing alone:
// one that listens can turn into this one (execve(2)) while another answers for it.
func sameProgram(ctx context.Context, path string) bool {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return false
	}
	defer conn.Close()
	line, ok := conn.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := line.SyscallConn()
	if err != nil {
		return false
	}
	var cred *unix.Ucred
	if err := raw.Control(func(fd uintptr) {
		cred, _ = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) //nolint:gosec // a descriptor
	}); err != nil || cred == nil {
		return false
	}
	if cred.Uid == 0 || int(cred.Uid) == os.Geteuid() {
		return true
	}
	if cred.Uid >= firstOfPeople {
		return false
	}
	exe := func(process string) string {
		path, err := os.Readlink("/proc/" + process + "/exe")
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(path, " (deleted)") // after an upgrade
	}
	own := exe("self")
	return own != "" && own == exe(strconv.Itoa(int(cred.Pid)))
}
