package main

import (
	"fmt"
	"strings"
)

// lists are DNS lists that list nobody but their test entry (RFC 5782 §5).
var lists = []string{"zen.lists.test", "bl.lists.test", "drop.lists.test"}

// policy has all that looks at ordinary mail, and an account with prices.
func (o options) policy(listen, state, dns, redis, metrics string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `[gateway]
name = "compare"
listen = [%[1]q]
state_dir = %[2]q
resolver = [%[3]q]
[recipients]
mode = "known"
[[tariff]]
name = "office"
currency = "EUR"
per_mib = "1.50"
per_delivery = "0.02"
included = "100 MiB"
period = "month"
[[client]]
id = "office"
tariff = "office"
addresses = ["@example.org"]
[redis]
addrs = [%[4]q]
[journal]
dir = "%[2]s/journal"
[metrics]
listen = "%[6]s"
[greylist]
delay = "1s"
[[module]]
name = "files"
type = "attachment"
[[rule]]
name = "listed"
stage = "connect"
match.dnsbl = ["%[5]s"]
weight = 5
[[rule]]
name = "no-mx"
stage = "mailfrom"
match.sender_mx = ["missing", "null"]
weight = 4
[[rule]]
name = "spf"
stage = "mailfrom"
match.spf = ["fail", "softfail"]
weight = 4
[[rule]]
name = "known-writer"
stage = "rcptto"
match.correspondent = true
weight = -1
[[rule]]
name = "stranger"
stage = "rcptto"
unless.spf = "pass"
action = "greylist"
[[rule]]
name = "signature"
stage = "complete"
match.dkim = "fail"
weight = 2
[[rule]]
name = "dmarc"
stage = "complete"
match.dmarc = "fail"
weight = 2
[[rule]]
name = "programs"
stage = "complete"
match.attachment_name = '\.(exe|scr|js|vbs)$'
action = "reject"
[[rule]]
name = "archives"
stage = "complete"
match.module.files.symbol = '^ARCHIVE_EXECUTABLE$'
action = "reject"
[[threshold]]
above = 5
tag_subject = "[SPAM?]"
`, listen, state, dns, redis, strings.Join(lists, `", "`), metrics)
	for i := range o.rules {
		fmt.Fprintf(&b, "[[rule]]\nname = \"r%d\"\nstage = \"headers\"\nmatch.subject = '\\bcheap-%d-(\\w+)-pills\\b'\nweight = 1\n", i, i)
	}
	return b.String()
}
