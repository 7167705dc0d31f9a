package milter

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pieces is a source that gives what it has in pieces of the given sizes.
type pieces struct {
	data  []byte
	size  func() int
	asked []bool // unfinished, at each read
	long  func() bool
}

func (p *pieces) slow() bool { return p.long != nil && p.long() }

func (p *pieces) read(b []byte, unfinished bool) (int, error) {
	p.asked = append(p.asked, unfinished)
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.data[:min(len(p.data), max(1, p.size()))])
	p.data = p.data[n:]
	return n, nil
}

// However octets arrive, the frames are the same.
func TestFramesOfAnyPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type sent struct {
			code byte
			data string
		}
		var want []sent
		var wire []byte
		for range rapid.IntRange(0, 20).Draw(t, "frames") {
			f := sent{code: rapid.SampledFrom([]byte("LBDAE")).Draw(t, "code")}
			n := rapid.SampledFrom([]int{0, 1, 100, 5000, inputSize - 5, inputSize, 60000, 64<<10 - 1}).Draw(t, "length")
			if f.code != 'B' && f.code != 'L' {
				n = min(n, 1000)
			}
			f.data = strings.Repeat(string(rune('a'+len(want))), n)
			want = append(want, f)
			wire = appendFrame(wire, f.code, f.data)
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		most := rapid.SampledFrom([]int{1 << 20, 7, 4096, 40000}).Draw(t, "most")
		b := newBudget(1 << 30)
		in := newInput(&pieces{data: wire, size: func() int { return 1 + rng.IntN(most) }}, b)
		var got []sent
		open := false
		for {
			var f frame
			err := in.next(&f)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if open {
				got[len(got)-1].data += string(f.data)
			} else {
				got = append(got, sent{f.code, string(f.data)})
			}
			open = f.more
			if f.raw != nil && !bytes.Equal(f.raw, appendFrame(nil, f.code, string(f.data))) {
				t.Fatalf("raw frame %.20q", f.raw)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d frames, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("frame %d: %q of %d octets, want %q of %d", i, got[i].code, len(got[i].data), want[i].code, len(want[i].data))
			}
		}
		in.free()
		if left := b.left.Load(); left != 1<<30 {
			t.Fatalf("%d octets of the budget are lost", 1<<30-left)
		}
	})
}

// What a frame announces costs nothing; what arrives costs what it is.
func TestMemoryGrowsAsOctetsArrive(t *testing.T) {
	whole := appendFrame(nil, 'L', strings.Repeat("x", 1<<20))
	for _, arrived := range []int{5, 1000, inputSize, inputSize + 1, 100000, 600000} {
		b := newBudget(1 << 30)
		in := newInput(&pieces{data: whole[:arrived], size: func() int { return 4096 }}, b)
		if err := in.next(new(frame)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d: %v", arrived, err)
		}
		if taken := int(1<<30 - b.left.Load()); taken > 2*arrived || arrived < inputSize && taken != 0 {
			t.Errorf("%d octets arrived, %d were taken", arrived, taken)
		}
		in.free()
	}
}

func TestBudget(t *testing.T) {
	whole := appendFrame(nil, 'L', strings.Repeat("x", 1<<20))
	b := newBudget(3 << 20)
	var held []*input
	for range 10 {
		in := newInput(&pieces{data: whole[:1<<20-1], size: func() int { return 1 << 20 }}, b)
		err := in.next(new(frame))
		if errors.Is(err, errBudget) {
			in.free()
			break
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		held = append(held, in)
	}
	if len(held) == 0 || len(held) > 3 {
		t.Errorf("%d unfinished frames of 1 MiB in 3 MiB", len(held))
	}
	for _, in := range held {
		in.free()
	}
	in := newInput(&pieces{data: whole, size: func() int { return 1 << 20 }}, b)
	var f frame
	if err := in.next(&f); err != nil || len(f.data) != 1<<20 {
		t.Errorf("after they are gone: %v", err)
	}
	// The big buffer goes with the next frame.
	if err := in.next(&f); err != io.EOF || b.left.Load() != 3<<20 {
		t.Errorf("%v, %d octets left", err, b.left.Load())
	}
	in.free()
}
