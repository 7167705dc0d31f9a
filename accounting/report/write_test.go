package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

var sample = []Row{
	{Client: "dev", Recipient: "пользователь@xn--e1afmkfd.xn--p1ai", Deliveries: 1, Size: 999, Charged: 0},
	{Client: "sales", Name: "Sales; \"department\"", Recipient: "=cmd|' /C calc'!A0@example.org", Deliveries: 1234567, Size: 9876543210, Charged: 1000,
		Included: 5000, Cost: 1_500_001, Frac: 104857599, Currency: "RUB", Blocks: 3},
	{Client: "sales", Recipient: "a\x1b[2J,\"b\"\r\n@example.org", Deliveries: -1, Size: -5000, Charged: -5000, Cost: -1, Frac: 2, Currency: "EUR"},
}

func TestGolden(t *testing.T) {
	by := View{By: []Column{Client, Recipient}, Blocks: true}
	csvIn := func(d Dialect) func(io.Writer, View, []Row) error {
		return func(w io.Writer, v View, rows []Row) error { return WriteCSV(w, v, rows, d, Totals(rows)) }
	}
	for name, write := range map[string]func(io.Writer, View, []Row) error{
		"table.txt": WriteTable, "rows.csv": csvIn(RFC4180()), "excel.csv": csvIn(Excel()), "rows.json": WriteJSON,
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b, by, sample); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", b.Bytes(), want)
			}
			for _, rows := range [][]Row{nil, sample[:1]} {
				if err := write(io.Discard, by, rows); err != nil {
					t.Error(err)
				}
				if err := write(brokenPipe{}, by, rows); err == nil {
					t.Error("the writer's error is swallowed")
				}
			}
		})
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, View{By: []Column{Domain}}, nil); err != nil || b.String() != "[]\n" {
		t.Errorf("%q %v", b.String(), err)
	}
	b.Reset()
	if err := WriteJSON(&b, View{By: []Column{Client, Domain}}, []Row{{Client: "x", Deliveries: 1}}); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || len(got) != 1 {
		t.Fatal(b.String(), err)
	}
	if d, ok := got[0]["domain"]; !ok || d != "" || len(got[0]) != 9 {
		t.Errorf("%v", got[0])
	}
}

func TestNeutral(t *testing.T) {
	for _, s := range []string{"=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1", "＋", "－", "＠", " =1", "\u00a0=1"} {
		if got := neutral(s); got != "'"+s {
			t.Errorf("%q stays %q", s, got)
		}
	}
	for _, s := range []string{"", " ", "a@b", "a=1", "'=1", "1", "ю@пример.рф", "\xff"} {
		if got := neutral(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 1: "1", 999: "999", 1000: "1 000", -999: "-999", -1000: "-1 000", 123456: "123 456", 1234567: "1 234 567",
		-1 << 63: "-9 223 372 036 854 775 808",
	} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

// Whatever an address is, it makes one cell of one line that begins no
// formula, and no control character reaches a terminal.
func FuzzWrite(f *testing.F) {
	for _, r := range sample {
		f.Add(r.Recipient)
	}
	f.Add("\"\n,=")
	f.Fuzz(func(t *testing.T, address string) {
		by, rows := View{By: []Column{Recipient}}, []Row{{Recipient: address, Deliveries: 1, Size: 2, Charged: 3}}
		var b bytes.Buffer
		if err := WriteCSV(&b, by, rows, RFC4180(), nil); err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(lines) != 2 || len(lines[1]) != 7 {
			t.Fatalf("%q: %q %v", address, lines, err)
		}
		if cell := lines[1][0]; cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
			t.Fatalf("%q begins a formula", cell)
		}
		b.Reset()
		if err := WriteTable(&b, by, rows); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); strings.Count(text, "\n") != 2 || strings.ContainsAny(text, "\x00\x07\x08\x1b\r\x7f\u202e\u009b") {
			t.Fatalf("%q", text)
		}
		b.Reset()
		if err := WriteJSON(&b, by, rows); err != nil {
			t.Fatal(err)
		}
		var back []struct {
			Row
			Cost string `json:"cost"`
		}
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back) != 1 {
			t.Fatalf("%s: %v", b.Bytes(), err)
		}
	})
}
