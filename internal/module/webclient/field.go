package webclient

import "fmt"

// CheckFieldName returns an error for what cannot be the name of a header
// field (RFC 5322 §3.6.8), and for one too long to stand in a line.
func CheckFieldName(name string) error {
	const most = 200
	ok := name != "" && len(name) <= most
	for i := 0; ok && i < len(name); i++ {
		ok = name[i] > ' ' && name[i] < 0x7f && name[i] != ':'
	}
	if !ok {
		return fmt.Errorf("%.*q is no name of a field", most, name)
	}
	return nil
}
