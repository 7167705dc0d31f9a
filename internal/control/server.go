package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tollgate-mail/tollgate/internal/unixsocket"
)

// Server answers the commands.
type Server struct {
	http   *http.Server
	socket *unixsocket.Listener
	unlook context.CancelFunc // ends the look after the socket
	looked chan struct{}
	done   chan error
}

// Serve listens in a state folder, which must be locked by the caller: a
// socket that is there is a dead one's. When it is removed it is made anew within
// seconds. Handlers are called by name, each request by a goroutine of its own.
func Serve(stateDir string, handlers map[string]Handler, log *slog.Logger) (*Server, error) {
	l, err := unixsocket.Listen(SocketPath(stateDir), makeSocket)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return serve(l, handlers, log), nil
}

// Inherit is Serve with the socket that another process listens on. The path stays
// when the server is closed, until Own.
func Inherit(stateDir string, ln *net.UnixListener, handlers map[string]Handler, log *slog.Logger) (*Server, error) {
	l, err := unixsocket.Inherit(SocketPath(stateDir), ln, makeSocket)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return serve(l, handlers, log), nil
}

func serve(l *unixsocket.Listener, handlers map[string]Handler, log *slog.Logger) *Server {
	ctx, unlook := context.WithCancel(context.Background())
	s := &Server{
		http: &http.Server{
			Handler:           mux(handlers, log),
			ConnContext:       withPeer,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       30 * time.Second,
			WriteTimeout:      10 * time.Minute, // a report over a long time may take a while
			IdleTimeout:       30 * time.Second,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		socket: l, unlook: unlook, looked: make(chan struct{}),
		done: make(chan error, 1),
	}
	go func() { defer close(s.looked); l.Keep(ctx, "control socket", log) }()
	go func() { s.done <- s.http.Serve(l) }()
	return s
}

// Listener is what it listens on: to be lent to another process, or owned.
func (s *Server) Listener() *unixsocket.Listener { return s.socket }

// Socket tells how the path of the socket fares.
func (s *Server) Socket() unixsocket.Status { return s.socket.Status() }

// Close lets requests under way end until ctx does, and removes the socket.
func (s *Server) Close(ctx context.Context) error {
	s.unlook()
	<-s.looked
	err := s.http.Shutdown(ctx) // closes the socket first
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}

func mux(handlers map[string]Handler, log *slog.Logger) http.Handler {
	m := http.NewServeMux()
	for name, h := range handlers {
		m.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) { answer(w, r, name, h, log) })
	}
	m.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		send(w, http.StatusNotFound, &Refusal{Code: "unknown", Message: "the running tollgate does not know this command: restart it after an upgrade"}, log)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(protocolHeader, Protocol)
		if r.Header.Get(protocolHeader) != Protocol {
			send(w, http.StatusUpgradeRequired, &Refusal{Code: "protocol", Message: ErrProtocol.Error()}, log)
			return
		}
		m.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, r *http.Request, name string, h Handler, log *slog.Logger) {
	limit := int64(mostRequest)
	if privileged(r.Context()) {
		limit = mostWritten
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		send(w, http.StatusBadRequest, &Refusal{Code: "request", Message: "request cannot be read"}, log)
		return
	}
	defer func() {
		if p := recover(); p != nil {
			log.Error("internal fault", "command", name, "detail", p)
			send(w, http.StatusInternalServerError, &Refusal{Code: CodeFault, Message: "internal fault"}, log)
		}
	}()
	v, err := h(r.Context(), bytes.TrimSpace(body))
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		send(w, http.StatusConflict, refusal, log)
	case err != nil:
		log.Warn("command failed", "command", name, "error", err)
		send(w, http.StatusInternalServerError, &Refusal{Code: CodeFault, Message: err.Error()}, log)
	default:
		if c, ok := v.(Conversation); ok {
			converse(w, c, log)
			return
		}
		send(w, http.StatusOK, v, log)
	}
}

// send writes an answer. The one that asked may be gone by then.
func send(w http.ResponseWriter, status int, v any, log *slog.Logger) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		log.Warn("answer to a command cannot be sent", "error", err)
	}
}

// converse gives the connection away: what is said on it from now on is no HTTP. The
// one that asked speaks first, so that nothing of it has been read yet.
func converse(w http.ResponseWriter, c Conversation, log *slog.Logger) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		log.Error("a connection for a conversation cannot be had", "error", err)
		return
	}
	defer conn.Close()
	line, ok := conn.(*net.UnixConn)
	if !ok {
		log.Error("a conversation needs a unix socket")
		return
	}
	head := "HTTP/1.1 101 Switching Protocols\r\n" + protocolHeader + ": " + Protocol + "\r\nConnection: Upgrade\r\nUpgrade: tollgate\r\n\r\n"
	if err = conn.SetDeadline(time.Time{}); err == nil {
		_, err = conn.Write([]byte(head))
	}
	if err != nil {
		log.Warn("answer to a command cannot be sent", "error", err)
		return
	}
	c(line)
}

// makeSocket makes the socket under another name and renames it: it is never there
// with a wider mode than it shall have, and never not there while it replaces a dead
// one.
func makeSocket(path string) (*net.UnixListener, error) {
	made := filepath.Join(filepath.Dir(path), bindName)
	if err := os.Remove(made); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err = os.Chmod(made, 0o660); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close()) // which removes it
	}
	return l, nil
}
