package rules

import (
	"errors"
	"fmt"
	"slices"
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

// ParseHeaderTag parses "Name: value"; what says what a message is, or who vouches
// for it, cannot be a tag.
func ParseHeaderTag(s string) (HeaderTag, error) {
	tag, err := parseHeaderTag(s)
	if err == nil {
		err = tag.Value.checkGroups(0)
	}
	if err != nil {
		return HeaderTag{}, err
	}
	return tag, nil
}

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
	if slices.Contains(structural, name) {
		return true
	}
	for _, f := range structuralFamilies {
		if strings.HasPrefix(name, f) {
			return true
		}
	}
	return false
}

// kept are fields that no rule removes: those by which a message is told from
// others and traced (RFC 5321 §4.4, RFC 5322 §3.6), what says how its body is to
// be read, and what signs it.
var kept = []string{
	"From", "Date", "Message-Id", "Received", "Return-Path", "Dkim-Signature", "Domainkey-Signature", "Mime-Version",
	"Subject", // tags change it
}

// parseRemoved checks the name of a field that is to be removed.
func parseRemoved(s string) (string, error) {
	if !isFieldName(s) {
		return "", fmt.Errorf("%q is not the name of a header field", s)
	}
	name := canonicalField(s)
	if slices.Contains(kept, name) || strings.HasPrefix(name, "Arc-") || strings.HasPrefix(name, "Content-") {
		return "", fmt.Errorf("header field %s cannot be removed: it signs, traces or describes the message", name)
	}
	return name, nil
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
	return parseTemplate(s)
}
