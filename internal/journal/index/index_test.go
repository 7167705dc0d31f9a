package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tollgate-mail/tollgate/internal/journal/index"
)

// made is an index of members with the terms of their numbers.
func made(t testing.TB, members int, text int64, terms func(member int) []index.Term) []byte {
	t.Helper()
	var out bytes.Buffer
	b := index.NewBuilder(&out)
	for n := range members {
		for _, term := range terms(n) {
			b.Add(term)
		}
		if err := b.End(index.Member{Offset: int64(n) * 100, Size: 100, Text: text, Lines: 3, Earliest: int64(n), Latest: int64(n) + 1}); err != nil {
			t.Fatal(err)
		}
	}
	whole := index.Whole{ID: index.ID{1, 2, 3}, Size: int64(members) * 100, First: "2026-11-23T10:00:00.000Z"}
	if err := b.Finish(whole); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func opened(t testing.TB, b []byte) *index.Index {
	t.Helper()
	x, err := index.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func key(s string) index.Term { return index.Key('k', []rune(s)) }

// Every member is found by what it has, in groups of every width, and few by what
// they do not have.
func TestFound(t *testing.T) {
	for _, members := range []int{0, 1, 2, 3, 7, 8, 9, 31, 63, 64, 65, 100, 128, 130, 200} {
		b := made(t, members, 1<<20, func(n int) []index.Term {
			return []index.Term{key(fmt.Sprint("of ", n)), key("all"), index.Run([]rune{rune(n), 'b', 'c'}), key(fmt.Sprint("mod ", n%3))}
		})
		x := opened(t, b)
		if err := x.Verify(); err != nil || len(x.Members) != members || x.First != "2026-11-23T10:00:00.000Z" || x.ID != (index.ID{1, 2, 3}) {
			t.Fatalf("%d members: %+v, %v", members, x.Whole, err)
		}
		if most := int64(members)<<20/10 + 12288; int64(len(b)) > most {
			t.Errorf("%d members: %d octets, at most %d", members, len(b), most)
		}
		for n := range members {
			if x.Members[n].Offset != int64(n)*100 || x.Members[n].Latest != int64(n)+1 {
				t.Fatalf("member %d of %d: %+v", n, members, x.Members[n])
			}
			for _, c := range [][]index.Clause{
				{{{key(fmt.Sprint("of ", n))}}},
				{{{key("nobody")}, {index.Run([]rune{rune(n), 'b', 'c'}), key("all")}}},
				{{{key("all")}}, {{key(fmt.Sprint("of ", n))}}},
			} {
				got, err := x.Select(c)
				if err != nil || !slices.Contains(got, n) || len(got) > 2 {
					t.Fatalf("member %d of %d: found %v, %v", n, members, got, err)
				}
			}
		}
		all, err := x.Select(nil)
		if err != nil || len(all) != members {
			t.Errorf("nothing asked: %d of %d, %v", len(all), members, err)
		}
		none, err := x.Select([]index.Clause{{{key("nobody has this")}}})
		if err != nil || len(none) != 0 {
			t.Errorf("found %v, %v", none, err)
		}
	}
}

// Of little text the table is small, and still nothing is missed.
func TestLittleText(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		members := 1 + rnd.IntN(130)
		has := make([][]index.Term, members)
		for n := range has {
			for range rnd.IntN(200) {
				has[n] = append(has[n], key(fmt.Sprint(rnd.IntN(1000))))
			}
		}
		x := opened(t, made(t, members, int64(rnd.IntN(100_000)), func(n int) []index.Term { return has[n] }))
		for n, terms := range has {
			got, err := x.Select([]index.Clause{{terms}})
			if err != nil || !slices.Contains(got, n) {
				t.Fatalf("member %d of %d: %v, %v", n, members, got, err)
			}
		}
	}
}

// Of a damaged index nothing is believed: it answers as before or not at all.
func TestDamaged(t *testing.T) {
	b := made(t, 70, 4<<10, func(n int) []index.Term { return []index.Term{key(fmt.Sprint("of ", n))} })
	ask := func(b []byte) ([]int, error) {
		x, err := index.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return nil, err
		}
		return x.Select([]index.Clause{{{key("of 69")}}})
	}
	want, err := ask(b)
	if err != nil || !slices.Equal(want, []int{69}) {
		t.Fatal(want, err)
	}
	for at := 0; at < len(b); at += 11 {
		bad := bytes.Clone(b)
		bad[at] ^= 1 << (at % 8)
		got, err := ask(bad)
		if err == nil && !slices.Equal(got, want) || err != nil && !errors.Is(err, index.ErrDamaged) {
			t.Fatalf("octet %d: %v, %v", at, got, err)
		}
		x, err := index.Open(bytes.NewReader(bad), int64(len(bad)))
		if err == nil {
			err = x.Verify()
		}
		if !errors.Is(err, index.ErrDamaged) {
			t.Fatalf("octet %d: %v", at, err)
		}
	}
	for n := 0; n < len(b); n += 512 {
		if _, err := ask(b[:n]); err == nil {
			t.Errorf("cut after %d octets: believed", n)
		}
	}
	swapped := bytes.Clone(b)
	copy(swapped[:4096], b[4096:8192])
	copy(swapped[4096:8192], b[:4096])
	if x, err := index.Open(bytes.NewReader(swapped), int64(len(swapped))); err == nil && x.Verify() == nil {
		t.Error("blocks in each other's places are believed")
	}
}

// FuzzOpen: whatever is read, nothing panics, and members are within the file.
func FuzzOpen(f *testing.F) {
	f.Add(made(f, 3, 4<<10, func(int) []index.Term { return []index.Term{key("a")} }), uint16(0), byte(0))
	f.Add(made(f, 70, 512, func(int) []index.Term { return nil }), uint16(4000), byte(7))
	f.Add([]byte("tgindex\x01"), uint16(1), byte(1))
	f.Fuzz(func(t *testing.T, b []byte, at uint16, v byte) {
		if len(b) > 1<<20 {
			return
		}
		index.Resum(b, int(at), v)
		x, err := index.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		got, err := x.Select([]index.Clause{{{key("a"), index.Run([]rune("abc"))}}})
		if err == nil {
			for _, n := range got {
				if n < 0 || n >= len(x.Members) {
					t.Fatalf("member %d of %d", n, len(x.Members))
				}
			}
		}
		end := int64(0)
		for _, m := range x.Members {
			end += m.Size
		}
		if end != x.Size {
			t.Errorf("members of %d octets in a file of %d", end, x.Size)
		}
	})
}
