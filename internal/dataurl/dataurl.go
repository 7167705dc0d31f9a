// Package dataurl reads addresses that are what they lead to (RFC 2397).
package dataurl

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// Read is the media type of an address, in lower case and without parameters, and what it
// leads to. What is no such address is not ok.
func Read(text string) (mediaType, content string, ok bool) {
	const scheme = "data:"
	text = strings.TrimLeft(text, " \t\r\n\f")
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return "", "", false
	}
	head, content, ok := strings.Cut(text[len(scheme):], ",")
	if !ok {
		return "", "", false
	}
	content, _, _ = strings.Cut(content, "#")
	content = unescaped(content)
	head = strings.ToLower(head)
	if last := head[strings.LastIndexByte(head, ';')+1:]; len(last) < len(head) && strings.TrimSpace(last) == "base64" {
		content = decoded(content)
	}
	mediaType, _, _ = strings.Cut(head, ";")
	return strings.TrimSpace(mediaType), content, true
}

// unescaped is a text with its percent-encoded octets; a percent sign that begins none
// stays.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	var b strings.Builder
	for text != "" {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			i = len(text)
		}
		b.WriteString(text[:i])
		text = text[i:]
		n := min(len(text), 3)
		if plain, err := url.PathUnescape(text[:n]); err == nil {
			b.WriteString(plain)
		} else {
			n = 1
			b.WriteByte('%')
		}
		text = text[n:]
	}
	return b.String()
}

// decoded is what is in base64, as browsers take it: without white space, padded or not.
func decoded(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == '\f' {
			return -1
		}
		return r
	}, text)
	b, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "=")) // as far as it goes
	return string(b)
}
