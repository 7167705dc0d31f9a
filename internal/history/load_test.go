package history_test

import (
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/history"
)

// A policy of the history judges by all that decides about mail: the days of the
// account, what is remembered, and whom outbound mail is charged to, too.
func TestLoad(t *testing.T) {
	f := newFolder(t)
	f.write("policy.toml", strings.Replace(policy, "[lists]", `[correspondents]
life = "3d"
[outbound]
networks = ["192.0.2.0/24"]
[accounting]
timezone = "Europe/Moscow"
outbound = true
share = "split"
split_over = "all"
follow_maillog = "/var/log/none"
[redis]
addrs = ["127.0.0.1:1"]
[lists]`, 1))
	f.write("clients.toml", "[[client]]\nid = \"ivan\"\naddresses = [\"ivan@example.org\"]\nlogins = [\"ivan\"]\nexpires = 2026-11-29\n")
	cfg := f.load()
	s := history.New(f.dir, history.Bounds{})
	e, _ := keep(t, s, cfg, history.Start)
	was, err := s.Load(e)
	if err != nil {
		t.Fatal(err)
	}
	if was.Location.String() != cfg.Location.String() || was.CorrespondentLife != cfg.CorrespondentLife {
		t.Errorf("%s, %s", was.Location, was.CorrespondentLife)
	}
	if was.Gate.ChargeSenders != cfg.Gate.ChargeSenders || was.Gate.Sharing != cfg.Gate.Sharing {
		t.Errorf("%+v, was %+v", was.Gate.Sharing, cfg.Gate.Sharing)
	}
	for i, c := range was.Clients {
		if c.Expires != cfg.Clients[i].Expires {
			t.Errorf("client %s until %v, was %v", c.ID, c.Expires, cfg.Clients[i].Expires)
		}
	}
	if was.FollowMaillog != "" {
		t.Error(was.FollowMaillog)
	}
}
