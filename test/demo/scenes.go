package main

// scene is one SMTP session and what it shows.
type scene struct {
	title string
	why   string // what to look at
	ip    string // the client
	host  string // its name, "" for none
	helo  string
	from  string
	to    []string
	mail  string // a file in mail/
}

const (
	partnerIP   = "198.51.100.25"
	partnerHost = "mail.partner.example"
)

// scenes are in the order of the stages at which they are decided.
var scenes = []scene{
	{
		title: "A clean message to two recipients of one client",
		why:   "It passes as it came. Two recipients share it: half of its size is charged for each, to the sales department.",
		ip:    partnerIP, host: partnerHost, helo: partnerHost,
		from: "anna@partner.example", to: []string{"ivan@example.org", "orders@example.org"}, mail: "invoice",
	},
	{
		title: "A newsletter",
		why:   "A rule at \"headers\" marks its Subject; the fold of the long line stays right.",
		ip:    "192.0.2.88", host: "out.letters.example", helo: "out.letters.example",
		from: "bounce-33127@letters.example", to: []string{"ivan@example.org"}, mail: "newsletter",
	},
	{
		title: "A lottery, its Subject in KOI8-R and base64, folded",
		why:   "Two rules, one for the decoded Subject and one for a hop in Received, weigh 5.5: over the threshold that tags.",
		ip:    "192.0.2.140", host: "relay.isp.example", helo: "relay.isp.example",
		from: "prize@isp.example", to: []string{"olga@example.org"}, mail: "lottery-koi8r",
	},
	{
		title: "Two recipients, one of them disabled",
		why: "Boris is refused alone; Olga gets her mail. The Subject (windows-1251, quoted-printable) is not touched, " +
			"the X-Tollgate field which the sender forged is replaced.",
		ip: partnerIP, host: partnerHost, helo: partnerHost,
		from: "elena@partner.example", to: []string{"boris@example.org", "olga@example.org"}, mail: "act-cp1251",
	},
	{
		title: "Refused at connect: a listed network",
		why:   "Answered at RCPT, so that the journal knows whose mail it was. The message itself is never sent.",
		ip:    "203.0.113.50", helo: "mx.bulk.example",
		from: "news@bulk.example", to: []string{"ivan@example.org"}, mail: "newsletter",
	},
	{
		title: "Refused at helo: a stranger who says to be us",
		ip:    "192.0.2.13", helo: "mail.example.org",
		from: "ceo@example.org", to: []string{"olga@example.org"}, mail: "payment",
	},
	{
		title: "Refused at mailfrom: a listed sender domain",
		ip:    "192.0.2.77", host: "out.casino.example", helo: "out.casino.example",
		from: "win@casino.example", to: []string{"ivan@example.org"}, mail: "casino",
	},
	{
		title: "Refused at rcptto: an address that does not exist, and a trap",
		ip:    "192.0.2.78", helo: "guess.example",
		from: "a@guess.example", to: []string{"info@example.org", "webmaster-old@example.org"}, mail: "casino",
	},
	{
		title: "An attempt to relay",
		why:   "This Postfix trusts 10.0.0.0/8; tollgate lets 10.1.0.0/16 send to strangers, and nobody else.",
		ip:    "10.7.7.7", host: "camera-7.lan", helo: "camera-7",
		from: "camera@example.org", to: []string{"victim@elsewhere.example"}, mail: "massmail",
	},
	{
		title: "Outgoing mail from the office",
		why:   "Direction \"outbound\": it may go anywhere. Olga, who is one of us, is charged for her copy.",
		ip:    "10.1.0.20", host: "pc-20.office.lan", helo: "pc-20",
		from: "ivan@example.org", to: []string{"anna@partner.example", "olga@example.org"}, mail: "quote",
	},
	{
		title: "Refused at headers: what sent it",
		why:   "Postfix answers a refusal of the header after the whole message.",
		ip:    "192.0.2.99", host: "out.shop.example", helo: "out.shop.example",
		from: "offers@shop.example", to: []string{"ivan@example.org"}, mail: "massmail",
	},
	{
		title: "Refused at complete: too heavy",
		why:   "3.5 for the word, 1 for bulk, 2 for the hop: over the second threshold.",
		ip:    "192.0.2.140", host: "relay.isp.example", helo: "relay.isp.example",
		from: "prize@isp.example", to: []string{"ivan@example.org"}, mail: "lottery-worse",
	},
	{
		title: "A virus, in an attachment",
		why:   "clamd finds the test file of all scanners; that the sender is a partner changes nothing.",
		ip:    partnerIP, host: partnerHost, helo: partnerHost,
		from: "scan@partner.example", to: []string{"olga@example.org"}, mail: "virus",
	},
	{
		title: "A program, in an archive whose name is in windows-1251 (RFC 2231)",
		why:   "The names inside archives are names of attachments, too.",
		ip:    "192.0.2.99", host: "out.shop.example", helo: "out.shop.example",
		from: "sales@shop.example", to: []string{"ivan@example.org"}, mail: "archive",
	},
	{
		title: "Held for the operator",
		why:   "The sender hears 250; Postfix keeps the message in its hold queue.",
		ip:    "192.0.2.5", host: "mta5.freemail.example", helo: "mta5.freemail.example",
		from: "director@freemail.example", to: []string{"olga@example.org"}, mail: "payment",
	},
}

const attach = `
How to attach a real Postfix
----------------------------
  make install                                 # the binary, its man pages, a systemd unit, an example policy
  $EDITOR /etc/tollgate/policy.toml && tollgate check
  tollgate attach                              # shows what it will change in main.cf, and asks

contrib/postfix/README.md tells about order, sockets, chroot and re-injection; README.md where to go on.
The demo's policy is test/demo/policy.toml. Nothing of the demo is left on this machine.
`
