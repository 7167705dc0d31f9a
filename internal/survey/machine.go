package survey

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tollgate-mail/tollgate/internal/doctor"
)

// mostFiles bounds what is looked at beside the policy.
const mostFiles = 200

// daemonUser is whom the packages have the daemon run as.
const daemonUser = "tollgate"

// changed is when a file was changed last; zero when it cannot be told.
func changed(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func machine(s Source) doctor.Machine {
	m := doctor.Machine{ClockSynced: clockSynced()}
	for _, path := range []string{"/etc/logrotate.d/tollgate", "/usr/local/etc/newsyslog.conf.d/tollgate.conf", "/etc/newsyslog.conf.d/tollgate.conf"} {
		if _, err := os.Stat(path); err == nil {
			m.Rotation = true
		}
	}
	journals, err := filepath.Glob(filepath.Join(s.Places.JournalDir, "*.jsonl"))
	if err != nil {
		return m
	}
	for _, path := range journals {
		if info, err := os.Stat(path); err == nil {
			m.JournalSize = max(m.JournalSize, info.Size())
		}
	}
	return m
}

func disks(s Source, mail []doctor.Postfix) []doctor.Disk {
	all := []doctor.Disk{{Path: s.Places.StateDir, Use: "state"}, {Path: s.Places.JournalDir, Use: "journals"}}
	for _, p := range mail {
		if queue := p.Settings["queue_directory"]; queue != "" {
			all = append(all, doctor.Disk{Path: queue, Use: "queue"})
		}
	}
	for n := range all {
		d := &all[n]
		if err := disk(d); err != nil {
			d.Error = reason(err)
		}
	}
	return all
}

// reason is an error without the path, which is said already.
func reason(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

// files are the policy and what lies beside it.
func files(s Source) []doctor.File {
	dir := filepath.Dir(s.File)
	paths := []string{s.File}
	for _, pattern := range []string{"*", "*/*"} {
		beside, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || filepath.Base(dir) != "tollgate" {
			continue // somebody's own folder
		}
		for _, path := range beside {
			if path != s.File && len(paths) < mostFiles {
				paths = append(paths, path)
			}
		}
	}
	reads := reader(daemonUser)
	var all []doctor.File
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && !info.Mode().IsRegular() {
			continue
		}
		f := doctor.File{Path: path, Readable: true}
		if err != nil {
			f.Error = reason(err)
			all = append(all, f)
			continue
		}
		name := strings.ToLower(filepath.Base(path))
		f.Mode, f.Secret = uint32(info.Mode().Perm()), strings.Contains(name, "password") || strings.Contains(name, "secret")
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			f.Owner = strconv.FormatUint(uint64(stat.Uid), 10)
			if u, err := user.LookupId(f.Owner); err == nil {
				f.Owner = u.Username
			}
			f.Readable = reads(stat, info.Mode())
		}
		all = append(all, f)
	}
	return all
}

// reader tells what a user can read by a file's own permissions; everything where
// there is no such user.
func reader(name string) func(*syscall.Stat_t, fs.FileMode) bool {
	who, err := user.Lookup(name)
	if err != nil {
		return func(*syscall.Stat_t, fs.FileMode) bool { return true }
	}
	groups, err := who.GroupIds()
	if err != nil {
		groups = []string{who.Gid}
	}
	in := map[string]bool{}
	for _, g := range groups {
		in[g] = true
	}
	return func(stat *syscall.Stat_t, mode fs.FileMode) bool {
		switch {
		case strconv.FormatUint(uint64(stat.Uid), 10) == who.Uid:
			return mode&0o400 != 0
		case in[strconv.FormatUint(uint64(stat.Gid), 10)]:
			return mode&0o040 != 0
		}
		return mode&0o004 != 0
	}
}
