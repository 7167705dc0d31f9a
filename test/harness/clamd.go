package harness

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Virus is the signature by which this clamd knows EICAR, as it reports it:
// it marks the names of signatures that are not ClamAV's own.
const Virus = "Eicar-Test-Signature.UNOFFICIAL"

// EICAR is the test file of 68 octets that scanners agree to call a virus. In
// pieces, so that no scanner finds one in this repository.
func EICAR() string {
	return strings.Join([]string{`X5O!P%@AP[4\PZX54(P^)7CC)7}`, `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!`, `H+H*`}, "$")
}

// ClamdConfig is what tests vary of clamd's settings; zero is clamd's default.
type ClamdConfig struct {
	StreamMaxLength int64 // octets
	MaxFileSize     int64 // octets
	MaxThreads      int
	// More are lines for its configuration file.
	More []string
}

// Clamd is ClamAV's daemon with a signature folder that holds EICAR alone.
type Clamd struct {
	Socket string // path
	Addr   string // host:port
	s      *Sandbox
	proc   *Process
	name   string
}

// Clamd starts a clamd. A sandbox may hold several.
func (s *Sandbox) Clamd(c ClamdConfig) (*Clamd, error) {
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	d := &Clamd{Addr: Loopback(port), s: s, name: fmt.Sprintf("clamd%d", port)}
	d.Socket = s.Path(d.name, "socket")
	for _, dir := range []string{s.Path(d.name), s.Path(d.name, "signatures"), s.Path(d.name, "tmp")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, fmt.Errorf("harness: %w", err)
		}
	}
	// Name, any kind of file, at its start. At the start, because that is
	// EICAR's definition; so it is found only where a part was decoded.
	signature := fmt.Sprintf("Eicar-Test-Signature:0:0:%s\n", hex.EncodeToString([]byte(EICAR())))
	if err := os.WriteFile(s.Path(d.name, "signatures", "test.ndb"), []byte(signature), 0o644); err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	lines := []string{
		"Foreground yes",
		"DatabaseDirectory " + s.Path(d.name, "signatures"),
		"TemporaryDirectory " + s.Path(d.name, "tmp"),
		"LocalSocket " + d.Socket,
		"TCPAddr 127.0.0.1",
		fmt.Sprintf("TCPSocket %d", port),
	}
	for name, n := range map[string]int64{
		"StreamMaxLength": c.StreamMaxLength, "MaxFileSize": c.MaxFileSize, "MaxThreads": int64(c.MaxThreads),
	} {
		if n != 0 {
			lines = append(lines, fmt.Sprintf("%s %d", name, n))
		}
	}
	lines = append(lines, c.More...)
	if err := os.WriteFile(d.Config(), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("harness: %w", err)
	}
	s.OnClose(d.Stop)
	return d, d.Start()
}

// Config is the path of clamd's configuration file, which clamdscan reads too.
func (d *Clamd) Config() string { return d.s.Path(d.name, "clamd.conf") }

// Start starts clamd again after Stop or Kill.
func (d *Clamd) Start() error {
	var err error
	d.proc, err = start("clamd", d.s.Path(d.name+".log"), syscall.SIGKILL, "clamd", "--config-file="+d.Config())
	if err != nil {
		return err
	}
	return d.proc.await(d.answers, Patience)
}

// answers tells whether clamd answers on both of its sockets.
func (d *Clamd) answers() error {
	for network, address := range map[string]string{"unix": d.Socket, "tcp": d.Addr} {
		if err := pong(network, address); err != nil {
			return err
		}
	}
	return nil
}

func pong(network, address string) error {
	conn, err := net.Dial(network, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "nPING\n"); err != nil {
		return err
	}
	reply, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	if string(reply) != "PONG\n" {
		return fmt.Errorf("clamd answers %q to PING", reply)
	}
	return nil
}

// PID of clamd.
func (d *Clamd) PID() int { return d.proc.PID() }

// Freeze stops clamd where it stands: the kernel still makes connections for
// it, and nothing answers on them.
func (d *Clamd) Freeze() error { return d.signal(syscall.SIGSTOP) }

// Thaw lets a frozen clamd go on.
func (d *Clamd) Thaw() error { return d.signal(syscall.SIGCONT) }

func (d *Clamd) signal(sig os.Signal) error {
	if err := d.proc.Signal(sig); err != nil {
		return fmt.Errorf("harness: clamd: %w", err)
	}
	return nil
}

// Kill ends clamd in the middle of what it does.
func (d *Clamd) Kill() error { return d.proc.Kill() }

// Stop ends clamd, also a frozen one.
func (d *Clamd) Stop() error {
	if d.proc == nil || d.proc.Ended() {
		return nil
	}
	if err := d.Thaw(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return d.proc.Stop(Patience)
}
