package rules

// tags parses what is put into Subject and header.
func (c *compiler) tags(subject string, headers []string, unlessSigned string, at map[string]Pos, table Pos) Tags {
	var t Tags
	_, given := at["tag_subject"]
	given = given || subject != ""
	if given {
		text, err := parseTagText(subject)
		if c.err(keyPos(at, "tag_subject", table), err) {
			t.Subject = &text
		}
	}
	for _, h := range headers {
		tag, err := parseHeaderTag(h)
		if c.err(keyPos(at, "tag_header", table), err) {
			t.Headers = append(t.Headers, tag)
		}
	}
	if unlessSigned != "" {
		t.UnlessSigned = c.unlessSigned(unlessSigned, given, keyPos(at, "unless_signed", table))
	}
	return t
}

func (c *compiler) unlessSigned(s string, tagged bool, at Pos) Signed {
	switch {
	case s != "header":
		c.err(at, unknown("value of unless_signed", s, []string{"header"}))
		return TagAnyway
	case !tagged:
		c.errorf(at, "unless_signed says where tag_subject goes in signed mail, and there is no tag_subject")
	}
	return TagHeader
}

func (t Tags) empty() bool { return t.Subject == nil && len(t.Headers) == 0 }
