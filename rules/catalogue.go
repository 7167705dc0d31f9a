package rules

import (
	"slices"

	"github.com/tollgate-mail/tollgate/internal/results"
	"github.com/tollgate-mail/tollgate/rules/number"
)

// Attr is an attribute of the catalogue.
type Attr uint8

// The attributes of the catalogue.
const (
	ClientIP Attr = iota
	ClientHost
	ClientResolve
	HeloName
	TLS
	TLSVersion
	Authenticated
	AuthUser
	Direction
	Sender
	SenderDomain
	DeclaredSize
	Recipient
	RecipientDomain
	RecipientClient
	RecipientCount
	Subject
	HeaderField
	RawHeaderField
	Author
	AuthorDomain
	AuthorName
	ReplyToDomain
	HeaderIP
	Size
	DNSBL
	SenderMX
	SenderDNSBL
	SPF
	Correspondent
	DKIM
	DMARC
	DMARCPolicy
	Virus
	AttachmentName
	AttachmentType
	MIMEDefects
	ModuleScore
	ModuleSymbol
	ModuleAction
	HeaderCount
	AttachmentCount
	AttachmentSize
	DateSkew
	DKIMDomain
	RuleName
	ModuleText
	ModuleHiddenText
	ModuleURL
	ModuleURLDomain
)

// Kind is what the value of an attribute is and, with it, what a condition may
// say of it.
type Kind uint8

const (
	KindText   Kind = iota // any number of texts: regular expressions, lists
	KindIP                 // any number of addresses: prefixes, regular expressions, lists
	KindNumber             // a number: comparisons
	KindEnum               // one of some names
	KindBool               // true or false
	KindDNSBL              // what a DNS list answers: zones with filters
)

// Attribute is a row of the catalogue.
type Attribute struct {
	Attr  Attr
	Name  string // in policies; of a family what stands before the dot
	Kind  Kind
	Stage Stage    // the first at which it is known
	Names []string // of KindEnum: its values
	// Family: there are many, each with a name of its own after a dot; their
	// texts are those of all fields of that name, none when there is none.
	Family bool
	// Member stands behind the name of a family's member: module.NAME.score.
	Member string
	// Presence: true and false stand for there being any text or none.
	Presence bool
	// Inspected: it is known only when the inspectors have seen the message.
	Inspected bool
	// Octets: the number counts octets, so that operands may have a unit.
	Octets bool
	// Seconds: the number counts seconds, so that operands may have a unit of time.
	Seconds bool
	// Signed: the number may be below zero.
	Signed bool
	// Forgeable: whoever sends mail writes what he likes there.
	Forgeable bool
	// Lower: its texts are in lower case.
	Lower bool
	// Client: it vouches for who the client is, whatever the client says.
	Client bool
	// Asks is who else is asked for it. To wait for an answer costs more than
	// any other condition: those are tried first.
	Asks Asked
}

// Asked is who is asked for the value of an attribute.
type Asked uint8

const (
	Nobody    Asked = iota // the message and its session have it
	AsksDNS                // a resolver
	AsksState              // what gateways remember of mail before
)

// temperror is the name, in enumerations that have it, of a value that could
// not be had now.
const temperror = "temperror"

// catalogue has a row for each attribute, at its index.
var catalogue = [...]Attribute{
	ClientIP:        {Name: "client_ip", Kind: KindIP, Stage: Connect, Client: true},
	ClientHost:      {Name: "client_host", Kind: KindText, Stage: Connect, Client: true},
	ClientResolve:   {Name: "client_resolve", Kind: KindEnum, Stage: Connect, Names: []string{"ok", "fail", "forged", "temp"}},
	HeloName:        {Name: "helo", Kind: KindText, Stage: Helo, Forgeable: true},
	TLS:             {Name: "tls", Kind: KindBool, Stage: MailFrom},
	TLSVersion:      {Name: "tls_version", Kind: KindText, Stage: MailFrom},
	Authenticated:   {Name: "authenticated", Kind: KindBool, Stage: MailFrom, Client: true},
	AuthUser:        {Name: "auth_user", Kind: KindText, Stage: MailFrom, Client: true},
	Direction:       {Name: "direction", Kind: KindEnum, Stage: MailFrom, Names: []string{"inbound", "outbound"}},
	Sender:          {Name: "sender", Kind: KindText, Stage: MailFrom},
	SenderDomain:    {Name: "sender_domain", Kind: KindText, Stage: MailFrom, Lower: true},
	DeclaredSize:    {Name: "declared_size", Kind: KindNumber, Stage: MailFrom, Octets: true},
	Recipient:       {Name: "recipient", Kind: KindText, Stage: RcptTo},
	RecipientDomain: {Name: "recipient_domain", Kind: KindText, Stage: RcptTo, Lower: true},
	RecipientClient: {Name: "recipient_client", Kind: KindText, Stage: RcptTo},
	RecipientCount:  {Name: "recipient_count", Kind: KindNumber, Stage: RcptTo},
	Subject:         {Name: "subject", Kind: KindText, Stage: Headers, Forgeable: true},
	HeaderField:     {Name: "header", Kind: KindText, Stage: Headers, Family: true, Presence: true, Forgeable: true},
	RawHeaderField:  {Name: "raw_header", Kind: KindText, Stage: Headers, Family: true, Presence: true, Forgeable: true},
	Author:          {Name: "author", Kind: KindText, Stage: Headers, Presence: true, Forgeable: true},
	AuthorDomain:    {Name: "author_domain", Kind: KindText, Stage: Headers, Presence: true, Forgeable: true},
	AuthorName:      {Name: "author_name", Kind: KindText, Stage: Headers, Presence: true, Forgeable: true},
	ReplyToDomain:   {Name: "reply_to_domain", Kind: KindText, Stage: Headers, Presence: true, Forgeable: true},
	HeaderIP:        {Name: "header_ip", Kind: KindIP, Stage: Headers, Forgeable: true},
	Size:            {Name: "size", Kind: KindNumber, Stage: Complete, Octets: true},

	DNSBL:       {Name: "dnsbl", Kind: KindDNSBL, Stage: Connect, Client: true, Asks: AsksDNS},
	SenderMX:    {Name: "sender_mx", Kind: KindEnum, Stage: MailFrom, Asks: AsksDNS, Names: results.MXs()},
	SenderDNSBL: {Name: "sender_dnsbl", Kind: KindDNSBL, Stage: MailFrom, Asks: AsksDNS},
	SPF: {Name: "spf", Kind: KindEnum, Stage: MailFrom, Asks: AsksDNS,
		Names: results.SPF()}, // RFC 7208 §2.6
	Correspondent: {Name: "correspondent", Kind: KindBool, Stage: RcptTo, Asks: AsksState},
	DKIM: {Name: "dkim", Kind: KindEnum, Stage: Complete, Asks: AsksDNS,
		Names: results.DKIM()}, // RFC 8601 §2.7.1
	DMARC: {Name: "dmarc", Kind: KindEnum, Stage: Complete, Asks: AsksDNS,
		Names: results.DMARC()}, // RFC 7489 §11.2
	DMARCPolicy: {Name: "dmarc_policy", Kind: KindEnum, Stage: Complete, Asks: AsksDNS, Names: []string{"none", "quarantine", "reject"}}, // RFC 7489 §6.3

	Virus:          {Name: "virus", Kind: KindText, Stage: Complete, Presence: true, Inspected: true},
	AttachmentName: {Name: "attachment_name", Kind: KindText, Stage: Complete, Presence: true, Inspected: true, Forgeable: true},
	AttachmentType: {Name: "attachment_type", Kind: KindText, Stage: Complete, Presence: true, Inspected: true, Forgeable: true},
	MIMEDefects:    {Name: "mime_defects", Kind: KindText, Stage: Complete, Presence: true, Inspected: true, Forgeable: true},
	ModuleScore:    {Name: "module", Member: "score", Kind: KindNumber, Signed: true, Stage: Complete, Family: true, Inspected: true},
	ModuleSymbol:   {Name: "module", Member: "symbol", Kind: KindText, Stage: Complete, Family: true, Presence: true, Inspected: true},
	ModuleAction:   {Name: "module", Member: "action", Kind: KindText, Stage: Complete, Family: true, Presence: true, Inspected: true},

	HeaderCount:     {Name: "header_count", Kind: KindNumber, Stage: Headers, Family: true, Forgeable: true},
	AttachmentCount: {Name: "attachment_count", Kind: KindNumber, Stage: Complete, Inspected: true, Forgeable: true},
	AttachmentSize:  {Name: "attachment_size", Kind: KindNumber, Stage: Complete, Inspected: true, Octets: true, Forgeable: true},
	DateSkew:        {Name: "date_skew", Kind: KindNumber, Stage: Headers, Seconds: true, Signed: true, Forgeable: true},
	DKIMDomain:      {Name: "dkim_domain", Kind: KindText, Stage: Complete, Presence: true, Asks: AsksDNS, Lower: true},
	// Rules answer it themselves, of what matched before.
	RuleName:         {Name: "rule", Kind: KindText, Stage: Connect},
	ModuleText:       {Name: "module", Member: "text", Kind: KindText, Stage: Complete, Family: true, Presence: true, Inspected: true, Forgeable: true},
	ModuleHiddenText: {Name: "module", Member: "hidden_text", Kind: KindText, Stage: Complete, Family: true, Presence: true, Inspected: true, Forgeable: true},
	ModuleURL:        {Name: "module", Member: "url", Kind: KindText, Stage: Complete, Family: true, Presence: true, Inspected: true, Forgeable: true},
	ModuleURLDomain:  {Name: "module", Member: "url_domain", Kind: KindText, Stage: Complete, Family: true, Presence: true, Inspected: true, Forgeable: true},
}

// Catalogue returns a row for every attribute, in order: who answers [Facts]
// can be tested against it.
func Catalogue() []Attribute {
	rows := slices.Clone(catalogue[:])
	for i := range rows {
		rows[i].Attr = Attr(i)
		rows[i].Names = slices.Clone(rows[i].Names)
	}
	return rows
}

// String returns the name used in policies; of a family with NAME in place of a
// member's.
func (a Attr) String() string {
	if int(a) < len(catalogue) {
		return catalogue[a].of("NAME")
	}
	return "unknown"
}

// of is the attribute as policies write it, of a family the member name.
func (row *Attribute) of(name string) string {
	switch {
	case !row.Family:
		return row.Name
	case row.Member != "":
		return row.Name + "." + name + "." + row.Member
	}
	return row.Name + "." + name
}

// unit is that of the attribute's number.
func (row *Attribute) unit() number.Unit {
	switch {
	case row.Octets:
		return number.Octets
	case row.Seconds:
		return number.Seconds
	}
	return number.Plain
}
