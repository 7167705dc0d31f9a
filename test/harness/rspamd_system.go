package harness

import (
	"fmt"
	"os"
	"syscall"
)

// RspamdMilter is the rspamd of the system with all that its package switches on,
// which judges by itself what it is asked as a milter. Nothing of the system's own
// settings (local.d, override.d) is read, and its data stand in the sandbox.
type RspamdMilter struct {
	Socket string
	proc   *Process
}

// RspamdMilter starts one that asks that DNS server and that Redis.
func (s *Sandbox) RspamdMilter(dns, redis string) (*RspamdMilter, error) {
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("rspamd-milter%d", port)
	r := &RspamdMilter{Socket: s.Path(name, "milter.sock")}
	local := s.Path(name, "local.d")
	for _, d := range []string{s.Path(name), s.Path(name, "db"), s.Path(name, "run"), s.Path(name, "log"), local} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
	}
	for file, text := range map[string]string{
		"options.inc":           fmt.Sprintf("dns { nameserver = [%q]; }\nlocal_addrs = [10.0.0.0/8];\n", dns),
		"redis.conf":            fmt.Sprintf("servers = %q;\n", redis),
		"worker-proxy.inc":      fmt.Sprintf("bind_socket = \"%s mode=0666\";\nupstream \"local\" { self_scan = yes; }\ncount = 2;\n", r.Socket),
		"worker-normal.inc":     "enabled = false;\n",
		"worker-controller.inc": fmt.Sprintf("bind_socket = %q;\n", Loopback(port)),
	} {
		if err := os.WriteFile(s.Path(name, "local.d", file), []byte(text), 0o644); err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
	}
	r.proc, err = start("rspamd", s.Path(name+".log"), syscall.SIGKILL, "rspamd", "--no-fork", "--insecure", "--config=/etc/rspamd/rspamd.conf",
		"--var=LOCAL_CONFDIR="+s.Path(name), "--var=DBDIR="+s.Path(name, "db"), "--var=RUNDIR="+s.Path(name, "run"), "--var=LOGDIR="+s.Path(name, "log"))
	if err != nil {
		return nil, err
	}
	s.OnClose(func() error {
		_ = syscall.Kill(-r.proc.PID(), syscall.SIGKILL)
		return r.proc.Wait(Patience)
	})
	return r, r.proc.await(func() error { return dialable("unix", r.Socket) }, Patience)
}

// Process is the main process; workers are its children.
func (r *RspamdMilter) Process() *Process { return r.proc }
