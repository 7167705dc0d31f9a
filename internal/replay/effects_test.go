package replay_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/config/configtest"
	"github.com/tollgate-mail/tollgate/internal/policydiff"
	"github.com/tollgate-mail/tollgate/internal/replay"
)

const inForce = `[gateway]
name = "mx1.example.org"
[[client]]
id = "ivan"
addresses = ["ivan@example.org", "anna@example.org"]
[[rule]]
name = "trap"
stage = "rcptto"
match.recipient = '^anna@'
match.sender = '^spam@'
action = "reject"
[[rule]]
name = "lottery"
stage = "headers"
match.subject = 'lottery'
weight = 3
[[rule]]
name = "mailer"
stage = "headers"
match.header.X-Mailer = 'bulk'
weight = 4
[[rule]]
name = "forged"
stage = "mailfrom"
match.spf = "fail"
weight = 2
[[module]]
name = "r"
type = "rspamd"
url = "http://127.0.0.1:1"
[[threshold]]
above = 6
action = "reject"
`

// mail are messages as the policy in force has judged them: the first three by
// weight.
var mail = []string{
	`{"time":"2026-11-23T10:00:00.000Z","kind":"messages","policy":"%[1]s","ref":"R1","client_ip":"192.0.2.7","sender":"a@example.com","recipients":["ivan@example.org"],"subject":"a lottery","size":900,"stage":"complete","verdict":"reject","rules":[{"name":"lottery","stage":"headers","weight":"3"},{"name":"mailer","stage":"headers","weight":"4"}],"weight":"7","reason":"weight 7 above 6"}`,
	`{"time":"2026-11-23T10:00:01.000Z","kind":"messages","policy":"%[1]s","ref":"R2","client_ip":"192.0.2.7","sender":"b@example.com","recipients":["ivan@example.org"],"subject":"a lottery","size":900,"verdict":"accept","rules":[{"name":"forged","stage":"mailfrom","weight":"2","attribute":"spf","text":"fail"},{"name":"lottery","stage":"headers","weight":"3"}],"weight":"5"}`,
	`{"time":"2026-11-23T10:00:02.000Z","kind":"messages","policy":"%[1]s","ref":"R3","client_ip":"192.0.2.7","sender":"c@example.com","recipients":["ivan@example.org"],"subject":"minutes","size":900,"verdict":"accept","rules":[],"modules":[{"name":"r","result":"ok","score":"5","weight":"5","action":"","symbols":["X"]}],"weight":"5"}`,
	`{"time":"2026-11-23T10:00:03.000Z","kind":"messages","policy":"%[1]s","ref":"R4","client_ip":"192.0.2.7","sender":"spam@example.com","recipients":[],"verdict":"reject","rules":[],"weight":"0"}`,
	`{"time":"2026-11-23T10:00:04.000Z","kind":"messages","policy":"%[1]s","ref":"R5","client_ip":"192.0.2.7","sender":"d@example.com","recipients":["ivan@example.org"],"verdict":"aborted","rules":[],"weight":"0"}`,
	`{"time":"2026-11-23T10:00:05.000Z","kind":"messages","policy":"%[1]s","ref":"R6","client_ip":"192.0.2.7","sender":"e@example.com","recipients":["ivan@example.org"],"subject":"","size":900,"verdict":"hold","rule":"gone","stage":"complete","rules":[],"weight":"0"}`,
}

const blocks = `{"time":"2026-11-23T10:00:02.900Z","kind":"blocks","policy":"%[1]s","ref":"R4","client_ip":"192.0.2.7","sender":"spam@example.com","recipient":"anna@example.org","stage":"rcptto","rule":"trap","verdict":"reject","reason":"rule trap"}
`

// What another policy would have done is told of each message, as far as the
// journal knows: what both policies say alike by what was found, the rest by what
// the lines have; and what they do not have is counted.
func TestEffects(t *testing.T) {
	before := text(t, inForce)
	version := before.Gate.Version
	dir := t.TempDir()
	put(t, dir, "messages.jsonl", fmt.Sprintf(strings.Join(mail, "\n")+"\n{cut by a crash\n", version))
	put(t, dir, "messages.jsonl.1.zst", "packed by others")
	put(t, dir, "messages.jsonl.2.gz", "not packed")
	put(t, dir, "blocks.jsonl", fmt.Sprintf(blocks, version))
	for name, tt := range map[string]struct {
		from, to string // what is replaced
		want     string // ref before after, of each change
		unknown  string
	}{
		"the same":                             {"", "", "", ""},
		"a threshold":                          {"above = 6", "above = 4.5", "R2 accept reject, R3 accept reject", ""},
		"a weight, by its hits":                {"weight = 2", "weight = 4", "R2 accept reject", ""},
		"a factor":                             {`type = "rspamd"`, `type = "rspamd"` + "\nfactor = 2", "R3 accept reject", ""},
		"a rule on the subject":                {"[[module]]", "[[rule]]\nname = \"m\"\nstage = \"headers\"\nmatch.subject = 'minutes'\naction = \"reject\"\n[[module]]", "R3 accept reject", ""},
		"a rule on the client":                 {"[[module]]", "[[rule]]\nname = \"m\"\nstage = \"connect\"\nmatch.client_ip = \"192.0.2.0/24\"\naction = \"reject\"\n[[module]]", "R2 accept reject, R3 accept reject", ""},
		"a rule gone":                          {"'^anna@'", "'^boris@'", "R4 reject beyond", ""},
		"what no line has":                     {"'bulk'", "'bulk|mass'", "R1 reject accept?header.X-Mailer", "[{header.X-Mailer 2}]"},
		"an answer of DNS":                     {`match.spf = "fail"`, `match.spf = ["fail", "softfail"]`, "", "[{spf 3}]"},
		"a pattern":                            {"'lottery'", "'lottery|minutes'", "R3 accept reject", ""},
		"what no line has, in rules that stay": {"[[module]]", "[[rule]]\nname = \"m\"\nstage = \"headers\"\nmatch.subject = 'none of them'\naction = \"reject\"\n[[module]]", "", ""},
		"marks":                                {"[[threshold]]", "[[threshold]]\nabove = 4\ntag_subject = \"[SPAM]\"\n[[threshold]]", "R2 accept marked, R3 accept marked", ""},
		"only marked":                          {"match.subject = 'lottery'\nweight = 3", "match.subject = 'lottery'\nshadow = true\nweight = 3", "R1 reject accept", ""},
	} {
		t.Run(name, func(t *testing.T) {
			after := text(t, strings.Replace(inForce, tt.from, tt.to, 1))
			shared := func(v string) (a, b *policydiff.Shared) {
				if v != version {
					t.Fatal(v)
				}
				return common(t, before, before), common(t, before, after)
			}
			e, err := replay.Comparison{Before: before, After: after, Shared: shared, Both: common(t, before, after), Dir: dir, Since: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}.Effects(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, one := range e.Effects {
				s := one.Ref + " " + one.Before + " " + one.After
				if one.Marks {
					s = one.Ref + " " + one.Before + " marked"
				}
				if len(one.Unknown) > 0 {
					s += "?" + strings.Join(one.Unknown, "?")
				}
				got = append(got, s)
			}
			unknown := ""
			if len(e.Attributes) > 0 {
				unknown = fmt.Sprint(e.Attributes)
			}
			if s := strings.Join(got, ", "); s != tt.want || unknown != tt.unknown || e.Changed+e.Marked != len(got) {
				t.Errorf("%s, unknown %s: want %s, unknown %s; %+v", s, unknown, tt.want, tt.unknown, e)
			}
			if e.Messages != 5 || e.LeftOut != 1 || e.NotReproduced != 1 || e.Broken != 1 || len(e.Unsearched) != 1 || len(e.Unread) != 1 {
				t.Errorf("%+v", e)
			}
		})
	}
}

// What neither policy knows of a rule that both have is no difference of theirs, also
// where nobody knows the policy that judged; where more than a rule differs, it may be.
func TestUnknownAlike(t *testing.T) {
	before := text(t, inForce)
	dir := t.TempDir()
	put(t, dir, "messages.jsonl", fmt.Sprintf(strings.Join(mail[:3], "\n")+"\n", "gone"))
	const added = "[[rule]]\nname = \"m\"\nstage = \"headers\"\nmatch.subject = '%s'\nweight = 7\n[[module]]"
	for name, tt := range map[string]struct {
		from, to         string
		changed, unknown int
	}{
		"a rule that matches nothing": {"[[module]]", fmt.Sprintf(added, "none of them"), 0, 0},
		"a rule that matches some":    {"[[module]]", fmt.Sprintf(added, "minutes"), 1, 0},
		"a threshold":                 {"above = 6", "above = 5.5", 0, 3},
		"a rule that is not known":    {"'bulk'", "'bulk|mass'", 0, 3},
		"a weight":                    {"weight = 4", "weight = 5", 0, 3},
	} {
		after := text(t, strings.Replace(inForce, tt.from, tt.to, 1))
		e, err := replay.Comparison{
			Before: before, After: after, Both: common(t, before, after), Dir: dir, Since: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
			Shared: func(string) (a, b *policydiff.Shared) { return nil, nil },
		}.Effects(t.Context())
		if err != nil || e.Messages != 3 || e.Changed != tt.changed || e.Unknown != tt.unknown {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func text(t *testing.T, policy string) *config.Config {
	t.Helper()
	return configtest.Text(t, policy)
}

func common(t *testing.T, a, b *config.Config) *policydiff.Shared {
	t.Helper()
	s, err := policydiff.Common(policydiff.Policy{Canonical: a.Canonical}, policydiff.Policy{Canonical: b.Canonical})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
