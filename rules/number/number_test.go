package number

import "testing"

func TestComparisons(t *testing.T) {
	tests := []struct {
		v     any
		op    string
		bound int64
	}{
		{"> 10 MiB", ">", 10 << 20 * 1000}, {"<=3", "<=", 3000}, {"= 0", "=", 0}, {int64(7), "=", 7000}, {0.5, "=", 500},
		{"1.5 KiB", "=", 1536000}, {"< -2.125", "<", -2125}, {">= 1B", ">=", 1000}, {"-0.5", "=", -500},
	}
	for _, tt := range tests {
		c, err := ParseComparison(tt.v, Octets)
		if err != nil || c != (Comparison{tt.op, tt.bound}) {
			t.Errorf("%v: %v, %v", tt.v, c, err)
		}
	}
	for _, v := range []any{"", ">", "> x", "1.2345", "1.", ".5", "--1", "+1", "1e3", "9223372036854775807", "> 9000000000000 TiB", true, nil, 1e300, int64(1 << 62), 0.12345} {
		if c, err := ParseComparison(v, Octets); err == nil {
			t.Errorf("%v: %v", v, c)
		}
	}
	for _, tt := range []struct {
		op   string
		want [3]bool // below, at and above the bound
	}{{"<", [3]bool{true, false, false}}, {"<=", [3]bool{true, true, false}}, {"=", [3]bool{false, true, false}},
		{">=", [3]bool{false, true, true}}, {">", [3]bool{false, false, true}}} {
		for i, n := range []int64{-1, 0, 1} {
			if (Comparison{tt.op, 0}).Holds(n) != tt.want[i] {
				t.Errorf("%d %s 0", n, tt.op)
			}
		}
	}
}
