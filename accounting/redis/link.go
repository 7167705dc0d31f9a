package redis

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Call is a command with its arguments.
type Call []any

// Reply is what the server says to a call: an error, too, is an answer.
type Reply struct {
	Value any
	Err   error
}

// Link is one connection with one server. It is never dialled anew: when it
// breaks it is of no more use.
type Link interface {
	// Send sends the calls at once, and returns as many replies; an error
	// means that the replies are not known.
	Send(ctx context.Context, calls []Call) ([]Reply, error)
	Close() error
}

// Server is a server that owns slots.
type Server struct {
	Slots Slots
	Link  Link
}

// Servers are those that own slots: one but in a Cluster.
type Servers interface {
	// Dial connects with each of them.
	Dial(ctx context.Context) ([]Server, error)
	// Owned are the slots that the server at a link owns now.
	Owned(ctx context.Context, l Link) (Slots, error)
}

// ErrTopology: the servers of a Cluster do not agree on who owns what, or
// nobody owns a slot.
var ErrTopology = errors.New("redis store: the Cluster is not whole")

// single is one server, or what Sentinels say is the master now.
type single struct{ db *redis.Client }

func (s single) Dial(context.Context) ([]Server, error) {
	return []Server{{Link: link{s.db.Conn()}}}, nil
}

func (single) Owned(context.Context, Link) (Slots, error) { return nil, nil }

// cluster is the masters of a Cluster. Each says itself what it owns: what the
// client library remembers of it may be old.
type cluster struct{ db *redis.ClusterClient }

func (c cluster) Dial(ctx context.Context) ([]Server, error) {
	var mu sync.Mutex
	clients := map[string]*redis.Client{}
	err := c.db.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		clients[node.Options().Addr] = node
		return nil
	})
	if err != nil {
		return nil, fault(err)
	}
	var list []Server
	for _, node := range clients {
		l := link{node.Conn()}
		slots, err := c.Owned(ctx, l)
		if err != nil {
			c.db.ReloadState(ctx)
			return nil, errors.Join(err, l.Close(), closeAll(list))
		}
		if len(slots) == 0 {
			if err := l.Close(); err != nil {
				return nil, errors.Join(fault(err), closeAll(list))
			}
			continue
		}
		list = append(list, Server{slots, l})
	}
	slices.SortFunc(list, func(a, b Server) int { return a.Slots[0][0] - b.Slots[0][0] })
	return list, nil
}

func (cluster) Owned(ctx context.Context, l Link) (Slots, error) {
	replies, err := l.Send(ctx, []Call{{"CLUSTER", "NODES"}})
	if err == nil {
		err = replies[0].Err
	}
	if err != nil {
		return nil, fault(err)
	}
	text, _ := replies[0].Value.(string)
	return ownSlots(text)
}

func closeAll(list []Server) error {
	var errs []error
	for _, s := range list {
		errs = append(errs, s.Link.Close())
	}
	return errors.Join(errs...)
}

// link is a connection that the client library has taken out of its pool.
// After it broke the library answers an error, and does not dial.
type link struct{ conn *redis.Conn }

func (l link) Send(ctx context.Context, calls []Call) ([]Reply, error) {
	pipe := l.conn.Pipeline()
	cmds := make([]*redis.Cmd, len(calls))
	for i, c := range calls {
		cmds[i] = pipe.Do(ctx, c...)
	}
	// Its error is the first of all, which stands with its command, too.
	_, err := pipe.Exec(ctx)
	replies := make([]Reply, len(calls))
	for i, c := range cmds {
		if e := c.Err(); e != nil && !answered(e) {
			return nil, e
		}
		replies[i] = Reply{c.Val(), c.Err()}
		if errors.Is(c.Err(), redis.Nil) {
			replies[i] = Reply{}
		}
	}
	if err != nil && !answered(err) {
		return nil, err
	}
	return replies, nil
}

func (l link) Close() error { return l.conn.Close() }

// answered reports whether an error is the server's own.
func answered(err error) bool {
	var e redis.Error
	return errors.As(err, &e)
}

// isNoScript: the server does not know the script: it was started anew, became
// master, or its scripts were flushed.
func isNoScript(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") }
