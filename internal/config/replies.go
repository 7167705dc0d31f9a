package config

import (
	"strings"

	"github.com/tollgate-mail/tollgate/accounting"
	"github.com/tollgate-mail/tollgate/internal/gate"
	"github.com/tollgate-mail/tollgate/rules"
)

// reply is one key of [replies].
type reply struct {
	key  string
	text string // the default
	// temporary: it can be nothing else. A later try is what helps: of a
	// second class in a transaction of its own (RFC 5321 §4.5.3.1.10), of
	// the account once it can be written.
	temporary bool
	// sender is the default where the block is that of the client that sends;
	// what a policy sets for the key is said to both.
	sender string
	block  accounting.Block
	into   func(*gate.Replies) **rules.Reply
}

// replyTable says of each refusal what it is by default. They say nothing of
// who the recipient is; the reference leads to the journal, which does.
var replyTable = []reply{
	{key: "unknown", text: "550 5.1.1 No such recipient here", into: func(r *gate.Replies) **rules.Reply { return &r.Unknown }},
	{key: "foreign", text: "550 5.7.1 Relaying denied", into: func(r *gate.Replies) **rules.Reply { return &r.Foreign }},
	{key: "disabled", text: "550 5.2.1 This mailbox is disabled",
		block: accounting.Disabled, sender: "550 5.2.1 The account of the sender is disabled",
		into: func(r *gate.Replies) **rules.Reply { return &r.Disabled }},
	{key: "expired", text: "550 5.2.1 This mailbox is no longer in service",
		block: accounting.Expired, sender: "550 5.2.1 The account of the sender is no longer in service",
		into: func(r *gate.Replies) **rules.Reply { return &r.Expired }},
	{key: "not_yet_valid", text: "450 4.2.1 This mailbox is not yet in service",
		block: accounting.NotYetValid, sender: "450 4.2.1 The account of the sender is not yet in service",
		into: func(r *gate.Replies) **rules.Reply { return &r.NotYetValid }},
	{key: "schedule", text: "450 4.2.1 This mailbox does not receive mail at this hour, please try again later",
		block: accounting.OutOfSchedule, sender: "450 4.2.1 The account of the sender does not send at this hour, please try again later",
		into: func(r *gate.Replies) **rules.Reply { return &r.Schedule }},
	{key: "quota", text: "452 4.2.2 This mailbox has received as much as it may for now",
		block: accounting.OverQuota, sender: "452 4.2.2 The account of the sender has used as much as it may for now",
		into: func(r *gate.Replies) **rules.Reply { return &r.Quota }},
	{key: "balance", text: "452 4.2.2 This mailbox cannot receive mail for now",
		block: accounting.OutOfBalance, sender: "452 4.2.2 The account of the sender cannot send mail for now",
		into: func(r *gate.Replies) **rules.Reply { return &r.Balance }},
	{key: "class", text: "452 4.5.3 Please send to this recipient in a transaction of its own", temporary: true, into: func(r *gate.Replies) **rules.Reply { return &r.Class }},
	{key: "accounting", text: "451 4.3.0 Mail cannot be taken right now, please try again later", temporary: true, into: func(r *gate.Replies) **rules.Reply { return &r.Accounting }},
}

func (d *decoder) replies(n *node) { d.Read(n, "[replies]", d.repliesFields()) }

func (d *decoder) repliesFields() []field {
	var fields []field
	for _, r := range replyTable {
		fields = append(fields, field{Key: r.key, Read: func(n *node) { d.reply(n, r) }})
	}
	return fields
}

func (d *decoder) reply(n *node, r reply) {
	s, ok := d.ReadString(n)
	if !ok {
		return
	}
	action := rules.Reject
	if r.temporary || strings.HasPrefix(s, "4") {
		action = rules.Tempfail
	}
	parsed, err := rules.ParseReply(s, action)
	if err != nil {
		d.Errorf(n, "%s: %v", r.key, err)
		return
	}
	*r.into(&d.gate.Replies) = parsed
	delete(d.gate.Replies.Senders, r.block)
}

// OwnReplies are the texts of the table and the replies that no policy sets, with their
// codes.
func OwnReplies() []string {
	all := gate.OwnReplies()
	for _, r := range replyTable {
		all = append(all, r.text)
		if r.sender != "" {
			all = append(all, r.sender)
		}
	}
	return all
}

// defaultReplies are those of the table.
func defaultReplies() gate.Replies {
	replies := gate.Replies{Senders: map[accounting.Block]*rules.Reply{}}
	for _, r := range replyTable {
		*r.into(&replies) = r.parse(r.text)
		if r.sender != "" {
			replies.Senders[r.block] = r.parse(r.sender)
		}
	}
	return replies
}

func (r reply) parse(text string) *rules.Reply {
	action := rules.Reject
	if strings.HasPrefix(text, "4") {
		action = rules.Tempfail
	}
	parsed, err := rules.ParseReply(text, action)
	if err != nil {
		panic("config: default reply " + r.key + ": " + err.Error()) // a mistake in the table
	}
	return parsed
}
