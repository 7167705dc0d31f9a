package rules

import "strconv"

// Weight is fixed point, in thousandths, so that sums do not depend on order.
type Weight int64

// String prints without trailing zeros: 3.5, -0.5, 12.
func (w Weight) String() string {
	b := strconv.AppendInt(nil, int64(w)/1000, 10)
	if w > -1000 && w < 0 {
		b = append([]byte("-"), b...)
	}
	f := int64(w) % 1000
	if f < 0 {
		f = -f
	}
	if f == 0 {
		return string(b)
	}
	b = append(b, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return string(b)
}
