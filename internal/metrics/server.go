package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tollgate-mail/tollgate/internal/assemble"
	"github.com/tollgate-mail/tollgate/internal/takeover"
)

const (
	readTimeout  = 5 * time.Second
	pageTimeout  = 10 * time.Second // of one page, a store that does not answer included
	idleTimeout  = 2 * time.Minute
	endTimeout   = 2 * time.Second // of pages under way, when a server ends
	maxHeader    = 16 << 10
	maxScrapes   = 4 // at once; one more is told to come again
	statusWithin = 3 * time.Second
)

// server answers at one address.
type server struct {
	http     *http.Server
	listener net.Listener
	addr     string // as the policy has it
}

// Prepare implements assemble.Part: an address that cannot be listened at
// refuses the policy.
func (m *Metrics) Prepare(ctx context.Context, d *assemble.Draft) (assemble.Step, error) {
	next := &change{m: m, server: m.serving}
	addr := d.Config.MetricsListen
	switch {
	case addr == "":
		next.server = nil
	case m.serving == nil || m.serving.addr != addr:
		l, err := m.listen(ctx, addr)
		if err != nil {
			return nil, fmt.Errorf("[metrics] listen: %w", err)
		}
		next.server = &server{addr: addr, listener: l, http: &http.Server{
			Handler: m.handler(), ReadTimeout: readTimeout, WriteTimeout: pageTimeout + readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		}}
	}
	return next, nil
}

// listen goes on with the listener of the process before, or opens one.
func (m *Metrics) listen(ctx context.Context, addr string) (net.Listener, error) {
	if m.heir != nil {
		l, err := m.heir.Listener(takeover.NameMetrics + addr)
		if l != nil || err != nil {
			return l, err
		}
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

// Lend implements daemon.Lender.
func (m *Metrics) Lend(files *takeover.Files) error {
	if m.serving == nil {
		return nil
	}
	of, ok := m.serving.listener.(syscall.Conn)
	if !ok {
		return errors.New("[metrics] listen: no descriptor")
	}
	return files.Add(takeover.NameMetrics+m.serving.addr, of)
}

// Leave implements daemon.Lender.
func (m *Metrics) Leave() {
	if m.serving != nil {
		m.serving.stop()
		m.serving = nil
	}
}

// change is an assemble.Step.
type change struct {
	m      *Metrics
	server *server // may be the one in force
}

func (c *change) Commit() {
	m := c.m
	before := m.serving
	if before == c.server {
		return
	}
	m.serving = c.server
	if s := c.server; s != nil {
		m.ending.Go(func() {
			if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				m.log.Error("metrics are not shown any more", "listen", s.addr, "error", err)
			}
		})
	}
	if before != nil {
		m.ending.Go(before.stop)
	}
}

func (c *change) Discard() {
	if c.server != nil && c.server != c.m.serving {
		_ = c.server.listener.Close() // nobody has been answered
	}
}

// stop lets pages under way end, for a short time.
func (s *server) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // those that were cut off have been told by it
	}
}

// Close implements assemble.Part.
func (m *Metrics) Close() error {
	m.end()
	m.Leave()
	m.ending.Wait()
	return nil
}

// handler has the pages.
func (m *Metrics) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes, Timeout: pageTimeout, ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch d := m.daemon(); {
		case d == nil:
			answer(w, http.StatusServiceUnavailable, "starting")
		case d.Draining():
			answer(w, http.StatusServiceUnavailable, "draining")
		case !d.Spools():
			answer(w, http.StatusServiceUnavailable, "degraded: usage records cannot be spooled")
		default:
			answer(w, http.StatusOK, "ready")
		}
	})
	return mux
}

func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprintln(w, text) // a client that has gone needs no answer
}
