package tape

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/module"
)

// A sender chooses what is asked and what is answered: long answers and many take no
// more than there is room for, and all of it is given back with the last user.
func TestAnswersHaveBounds(t *testing.T) {
	long := strings.Repeat("x", 60<<10)
	for name, answers := range map[string]func(a *Answers, n int){
		"keys": func(a *Answers, n int) {
			ctx := context.WithValue(t.Context(), recordKey{}, a)
			_, err := asked(ctx, txtQuestion{fmt.Sprint(n)}, func(context.Context) ([]string, error) { return []string{long}, nil })
			if err != nil {
				t.Error(err)
			}
		},
		"names": func(a *Answers, n int) { a.keep(mxQuestion{fmt.Sprint(n) + long}, answer[string]{}) },
		"texts": func(a *Answers, n int) {
			a.keep(inspected{nil, fmt.Sprint(n)}, module.Result{Finding: module.Finding{HiddenText: []string{long}}})
		},
		"many": func(a *Answers, n int) { a.keep(n, n) },
	} {
		t.Run(name, func(t *testing.T) {
			room := NewRoom(3 * mostAnswerOctets)
			var all []*Answers
			for range 5 {
				a := newAnswers(room)
				a.use() // a tape
				all = append(all, a)
				for n := range mostAnswers + 10 {
					answers(a, n)
				}
				if a.size > mostAnswerOctets || len(a.known) > mostAnswers || len(a.known) == 0 && room.used.Load() < 2*mostAnswerOctets {
					t.Errorf("%d answers of %d octets", len(a.known), a.size)
				}
			}
			if used := room.used.Load(); used > room.most || used == 0 {
				t.Errorf("%d octets are taken of %d", used, room.most)
			}
			for _, a := range all {
				a.leave()
				if len(a.known) == 0 && a.size > 0 {
					t.Error("a tape has lost its answers")
				}
				a.leave()
				answers(a, 0) // a look-up that came back late
			}
			if used := room.used.Load(); used != 0 {
				t.Errorf("%d octets are still taken", used)
			}
		})
	}
}

// What inspectors said of one message takes no room of the next in a long session:
// with the tape of the message it is forgotten, and what DNS said is not.
func TestInspectionsAreForgotten(t *testing.T) {
	room := NewRoom(1 << 30)
	a := newAnswers(room)
	text := strings.Repeat("x", mostAnswerOctets/4)
	a.keep(mxQuestion{"a@example.com"}, answer[string]{})
	for n := range 20 {
		tape := &Tape{Ref: fmt.Sprint(n), Answers: a, room: room}
		a.use()
		a.keep(inspected{nil, tape.Ref}, module.Result{Finding: module.Finding{Text: []string{text}}})
		if _, ok := a.recall(inspected{nil, tape.Ref}); !ok {
			t.Fatalf("message %d has no room", n)
		}
		tape.Close()
	}
	if _, ok := a.recall(mxQuestion{"a@example.com"}); !ok || len(a.known) != 1 {
		t.Errorf("%d answers", len(a.known))
	}
	if a.leave(); room.used.Load() != 0 {
		t.Errorf("%d octets are still taken", room.used.Load())
	}
}
