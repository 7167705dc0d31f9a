package spamassassin

import (
	"os"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// box and daemon are of the whole run.
var (
	box    *harness.Sandbox
	daemon *harness.Spamd
)

// hopRules of the shared daemon: symbols that tell what SpamAssassin has
// understood of the last hop.
var hopRules = []string{
	`header HOP_CLIENT X-Spam-Relays-Untrusted =~ /^\[ ip=192\.0\.2\.7 /`,
	`header HOP_CLIENT_IPV6 X-Spam-Relays-Untrusted =~ /^\[ ip=2001:db8::7 /`,
	`header HOP_NAMED X-Spam-Relays-Untrusted =~ /^\[ ip=\S+ rdns=mail\.example\.com /`,
	`header HOP_NAMELESS X-Spam-Relays-Untrusted =~ /^\[ ip=\S+ rdns= /`,
	`header HOP_HELO X-Spam-Relays-Untrusted =~ /^\[ [^]]*helo=mail\.example\.com /`,
	`header HOP_HELO_LITERAL X-Spam-Relays-Untrusted =~ /^\[ [^]]*helo=!192\.0\.2\.99! /`,
	`header HOP_GATEWAY X-Spam-Relays-Untrusted =~ /^\[ [^]]*by=gw1\.test .* id=4XyZ1a2b3c auth= /`,
	`header HOP_LOGIN X-Spam-Relays-Trusted =~ /^\[ ip=192\.0\.2\.7 [^]]*auth=ESMTPS?A /`,
	`header HOP_OUR_DATE Received =~ /; Mon, 23 Nov 2026 10:00:00 \+0000$/m`,
	`header HOP_SENDER EnvelopeFrom =~ /^a\+b\@example\.com$/`,
	`header HOP_NULL_SENDER EnvelopeFrom =~ /^$/`,
	`header INJECTED exists:X-Injected`,
	`header INJECTED_SENDER EnvelopeFrom =~ /forged/`,
	`header INJECTED_CLIENT X-Spam-Relays-Trusted =~ /203\.0\.113/`,
	`header INJECTED_LOGIN X-Spam-Relays-Untrusted =~ /^[^]]*auth=\S/`,
	`header HEADER_ENDED Subject !~ /./`,
}

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, func(s *harness.Sandbox) (err error) {
		box = s
		daemon, err = s.Spamd(harness.SpamdConfig{Rules: hopRules})
		return err
	}))
}
