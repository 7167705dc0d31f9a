package mail

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// TestCorpusNames compares names and types with those that Python's email
// package reads, for every message. Where they differ, it says why.
func TestCorpusNames(t *testing.T) {
	type reading struct{ Names, Types []string }
	more := map[string]struct {
		why string
		reading
	}{
		"0039": {"an encoded-word that is not in quotes", reading{Names: []string{"Список.doc"}}},
		"0086": {"a boundary that nothing declares", reading{Types: []string{"text/html"}}},
		"0123": {"a message within whose boundary nothing declares", reading{Types: []string{"text/html"}}},
		"0234": {"a boundary that nothing declares", reading{Types: []string{"text/plain"}}},
		"0088": {"a boundary with equals signs that is not in quotes", reading{Types: []string{"text/html", "text/plain"}}},
		"0108": {"two fields Content-Type, of which the second has the boundary", reading{Names: []string{"ATT00001.txt"}}},
		"0185": {"a path of Windows in quotes: each backslash can be meant", reading{Names: []string{"nsmail39.png", "nsmailEG.png"}}},
		"0194": {"files in uuencode", reading{Names: []string{"blueball.png", "greenball.png", "redball.png"}, Types: []string{"application/octet-stream"}}},
		"0197": {"a line in the header that is no field", reading{Types: []string{"multipart/alternative", "text/html"}}},
	}
	files, err := filepath.Glob(filepath.Join(corpusDir(t), "*.eml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	out, err := exec.Command("python3", append([]string{filepath.Join("testdata", "names.py")}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs := bufio.NewScanner(bytes.NewReader(out))
	theirs.Buffer(nil, 1<<20)
	named := 0
	corpus(t, func(t *testing.T, tr *truth, message []byte) {
		if !theirs.Scan() {
			t.Fatal("no reading by Python")
		}
		var want reading
		if err := json.Unmarshal(theirs.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		for i := range want.Names {
			want.Names[i], _ = CleanName(want.Names[i])
		}
		want.Names = append(want.Names, more[tr.ID].Names...)
		want.Types = append(want.Types, more[tr.ID].Types...)
		if len(want.Names) > 0 {
			named++
		}
		l, err := ListParts(nil, bytes.NewReader(message), "")
		names, types := l.Names, l.Types
		if err != nil {
			t.Fatal(err)
		}
		if w := set(want.Names); !slices.Equal(set(names), w) {
			t.Errorf("names %q, want %q", set(names), w)
		}
		if w := set(want.Types); !slices.Equal(set(types), w) {
			t.Errorf("types %q, want %q", set(types), w)
		}
		// As it goes over the wire there is nothing else in it.
		wire := bytes.ReplaceAll(bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		if again, err := ListParts(nil, bytes.NewReader(wire), ""); err != nil || !slices.Equal(again.Names, names) {
			t.Errorf("with CRLF %q, %v, want %q", again.Names, err, names)
		}
	})
	if named < 60 {
		t.Errorf("only %d messages have names", named)
	}
}

func set(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
