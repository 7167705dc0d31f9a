package rules

import (
	"errors"
	"fmt"
	"strings"
)

// structural are header fields that say what a message is, where it came from
// or who vouches for it: a tag that added a second one would change the mail
// itself (RFC 5322 §3.6 allows most of them once).
var structural = []string{
	"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Date", "Subject", "Message-Id",
	"In-Reply-To", "References", "Received", "Return-Path",
	"Delivered-To", "X-Original-To", "Errors-To", "Disposition-Notification-To",
	"Received-Spf", "Authentication-Results", "Dkim-Signature", "Domainkey-Signature",
	"Mime-Version", "Autocrypt",
}

// structuralFamilies are the beginnings of such names.
var structuralFamilies = []string{"Arc-", "Content-", "List-", "Resent-"}

// parseHeaderTag parses "Name: value".
func parseHeaderTag(s string) (HeaderTag, error) {
	name, value, ok := strings.Cut(s, ":")
	if !ok {
		return HeaderTag{}, fmt.Errorf("%q is not a header field; write \"Name: value\"", s)
	}
	if !isFieldName(name) {
		return HeaderTag{}, fmt.Errorf("%q is not the name of a header field", name)
	}
	// The name goes out as it is written: some readers mind (RFC 5322 §1.2.2 does
	// not).
	if isStructural(canonicalField(name)) {
		return HeaderTag{}, fmt.Errorf("header field %s belongs to the message itself and cannot be a tag", canonicalField(name))
	}
	t, err := parseTagText(value)
	if err != nil {
		return HeaderTag{}, err
	}
	return HeaderTag{Name: name, Value: t}, nil
}

func isStructural(name string) bool {
	for _, s := range structural {
		if name == s {
			return true
		}
	}
	for _, f := range structuralFamilies {
		if strings.HasPrefix(name, f) {
			return true
		}
	}
	return false
}

// parseTagText parses what a tag puts into a Subject or header field.
func parseTagText(s string) (Template, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Template{}, errors.New("the tag is empty")
	}
	for _, r := range s {
		if r < ' ' && r != '\t' || r == 0x7f {
			return Template{}, fmt.Errorf("character %q cannot stand in a header field", r)
		}
	}
	return ParseTemplate(s)
}
