package jsontext

import "encoding/json"

// Reader reads JSON without white space, of which no string spells a character: as it
// is written here. Its methods are false where there is something else; encoding/json
// decides then.
type Reader struct {
	rest []byte
	text string // the whole: strings are parts of it
}

// NewReader reads a text that is valid UTF-8.
func NewReader(text []byte) *Reader { return &Reader{rest: text, text: string(text)} }

// Whole is the text that is read: what was read of it without a copy is a part of it.
func (r *Reader) Whole() string { return r.text }

// Ended tells whether nothing is left.
func (r *Reader) Ended() bool { return len(r.rest) == 0 }

// Skip reads what must stand there.
func (r *Reader) Skip(text string) bool {
	if len(r.rest) < len(text) || string(r.rest[:len(text)]) != text {
		return false
	}
	r.rest = r.rest[len(text):]
	return true
}

// Object reads members; value that of a key.
func (r *Reader) Object(value func(key string) bool) bool {
	if !r.Skip("{") {
		return false
	}
	if r.Skip("}") {
		return true
	}
	for {
		var key string
		if !r.Text(&key) || !r.Skip(":") || !value(key) {
			return false
		}
		if r.Skip("}") {
			return true
		}
		if !r.Skip(",") {
			return false
		}
	}
}

// Array reads elements; element the next one.
func (r *Reader) Array(element func() bool) bool {
	if !r.Skip("[") {
		return false
	}
	if r.Skip("]") {
		return true
	}
	for {
		if !element() {
			return false
		}
		if r.Skip("]") {
			return true
		}
		if !r.Skip(",") {
			return false
		}
	}
}

// Texts reads an array of strings; none is no nil.
func (r *Reader) Texts(into *[]string) bool {
	all := []string{}
	ok := r.Array(func() bool {
		all = append(all, "")
		return r.Text(&all[len(all)-1])
	})
	*into = all
	return ok
}

// Text reads a string: a part of the whole text.
func (r *Reader) Text(into *string) bool {
	if len(r.rest) == 0 || r.rest[0] != '"' {
		return false
	}
	begin := len(r.text) - len(r.rest) + 1
	plain := PlainLength(r.text[begin:])
	for i, c := range r.rest[1+plain:] {
		i += plain
		switch {
		case c == '"':
			*into = r.text[begin : begin+i]
			r.rest = r.rest[i+2:]
			return true
		case c == '\\' || c < ' ':
			return false
		}
	}
	return false
}

// Number reads a whole one that is not negative.
func (r *Reader) Number(into *int64) bool {
	const most = 18 // digits that fit in any case
	n, v := 0, int64(0)
	for n < len(r.rest) && r.rest[n] >= '0' && r.rest[n] <= '9' {
		v = 10*v + int64(r.rest[n]-'0')
		if n++; n > most {
			return false
		}
	}
	if n == 0 || n > 1 && r.rest[0] == '0' {
		return false
	}
	*into, r.rest = v, r.rest[n:]
	return true
}

// Other has encoding/json read the value that comes.
func (r *Reader) Other(into any) bool {
	depth, in := 0, false
	for i := 0; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case in && c == '\\':
			i++
		case c == '"':
			in = !in
		case in:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				value := r.rest[:i+1]
				r.rest = r.rest[i+1:]
				return json.Unmarshal(value, into) == nil
			}
			if depth < 0 {
				return false
			}
		case depth == 0:
			return false
		}
	}
	return false
}
