package history

import (
	"bytes"
	"regexp"
)

// credentials are the user and password of a URL (RFC 3986 §3.2.1).
var credentials = regexp.MustCompile(`(://[^/\s:@"'\\]*):([^/\s@"'\\]+)@`)

// masked stands for a password.
const masked = "*MASKED*"

// mask takes the passwords out of URLs, and tells whether there were any.
func mask(text []byte) ([]byte, bool) {
	if !credentials.Match(text) {
		return text, false
	}
	return credentials.ReplaceAll(text, []byte("${1}:"+masked+"@")), true
}

// Unmask puts the passwords of the present text in place of the masks, by the
// URLs around them. False: one of them is in no URL of the present text.
func Unmask(text, present []byte) ([]byte, bool) {
	known := map[string][]byte{}
	for _, at := range credentials.FindAllSubmatchIndex(present, -1) {
		known[string(present[at[2]:at[3]])+"@"+host(present[at[1]:])] = present[at[4]:at[5]]
	}
	var out bytes.Buffer
	whole := true
	from := 0
	for _, at := range credentials.FindAllSubmatchIndex(text, -1) {
		if string(text[at[4]:at[5]]) != masked {
			continue
		}
		password, ok := known[string(text[at[2]:at[3]])+"@"+host(text[at[1]:])]
		if !ok {
			whole = false
			continue
		}
		out.Write(text[from:at[4]])
		out.Write(password)
		from = at[5]
	}
	out.Write(text[from:])
	return out.Bytes(), whole
}

// host is what a URL goes on with.
func host(rest []byte) string {
	if i := bytes.IndexAny(rest, "/\"' \t\r\n?#"); i >= 0 {
		rest = rest[:i]
	}
	return string(rest)
}

// Mask takes the passwords out of the URLs of a text.
func Mask(text []byte) []byte {
	without, _ := mask(text)
	return without
}
