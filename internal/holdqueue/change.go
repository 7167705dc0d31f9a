package holdqueue

import (
	"context"
	"regexp"
	"strings"
)

// What postsuper says of each message that it finds; of others it says
// nothing.
var (
	released = regexp.MustCompile(`^postsuper: ([0-9A-Za-z]+): released from hold$`)
	removed  = regexp.MustCompile(`^postsuper: ([0-9A-Za-z]+): removed$`)
)

// change gives postsuper ids and returns those that it says it has done, with
// an error too. Nothing outside the hold queue is touched.
func (q *Queue) change(ctx context.Context, option string, done *regexp.Regexp, ids []string) ([]string, error) {
	var in strings.Builder
	for _, id := range ids {
		if validID(id) { // "ALL", which would be everything, is none
			in.WriteString(id + "\n")
		}
	}
	if in.Len() == 0 {
		return nil, nil
	}
	var have []string
	err := q.run(ctx, call{
		name: "postsuper", args: []string{option, "-", "hold"}, in: strings.NewReader(in.String()),
		said: func(line string) {
			if m := done.FindStringSubmatch(line); m != nil {
				have = append(have, m[1])
			}
		},
	})
	return have, err
}
