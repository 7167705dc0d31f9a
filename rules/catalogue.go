package rules

import "slices"

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
	HeaderIP
	Size
	Virus
	AttachmentName
	AttachmentType
	ModuleScore
	ModuleSymbol
	ModuleAction
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
)

// Attribute is a row of the catalogue.
type Attribute struct {
	Attr Attr
	Name string // in policies; of a family what stands before the dot
	// Part is what stands after a member of a family of which more than one
	// thing is known: "score" of module.NAME.score. Name and Part together are
	// unique.
	Part  string
	Kind  Kind
	Stage Stage    // the first at which it is known
	Names []string // of KindEnum: its values
	// Family: there are many, each with a name of its own after a dot: header
	// fields, whose texts are those of all fields of that name, and modules.
	Family bool
	// Presence: true and false are values, too: that there is any text, or none.
	Presence bool
	// Octets: the number counts octets, so that operands may have a unit.
	Octets bool
	// Forgeable: whoever sends mail writes what he likes there.
	Forgeable bool
	// Client: it vouches for who the client is, whatever the client says.
	Client bool
	// Inspected: known only when inspectors have seen the whole message. Rules
	// that ask for it are tried at [Inspected].
	Inspected bool
}

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
	SenderDomain:    {Name: "sender_domain", Kind: KindText, Stage: MailFrom},
	DeclaredSize:    {Name: "declared_size", Kind: KindNumber, Stage: MailFrom, Octets: true},
	Recipient:       {Name: "recipient", Kind: KindText, Stage: RcptTo},
	RecipientDomain: {Name: "recipient_domain", Kind: KindText, Stage: RcptTo},
	RecipientClient: {Name: "recipient_client", Kind: KindText, Stage: RcptTo},
	RecipientCount:  {Name: "recipient_count", Kind: KindNumber, Stage: RcptTo},
	Subject:         {Name: "subject", Kind: KindText, Stage: Headers, Forgeable: true},
	HeaderField:     {Name: "header", Kind: KindText, Stage: Headers, Family: true, Presence: true, Forgeable: true},
	RawHeaderField:  {Name: "raw_header", Kind: KindText, Stage: Headers, Family: true, Presence: true, Forgeable: true},
	HeaderIP:        {Name: "header_ip", Kind: KindIP, Stage: Headers, Forgeable: true},
	Size:            {Name: "size", Kind: KindNumber, Stage: Complete, Octets: true},
	Virus:           {Name: "virus", Kind: KindText, Stage: Complete, Presence: true, Inspected: true},
	AttachmentName:  {Name: "attachment_name", Kind: KindText, Stage: Complete, Presence: true, Forgeable: true, Inspected: true},
	AttachmentType:  {Name: "attachment_type", Kind: KindText, Stage: Complete, Presence: true, Forgeable: true, Inspected: true},
	ModuleScore:     {Name: "module", Part: "score", Kind: KindNumber, Stage: Complete, Family: true, Inspected: true},
	ModuleSymbol:    {Name: "module", Part: "symbol", Kind: KindText, Stage: Complete, Family: true, Presence: true, Inspected: true},
	ModuleAction:    {Name: "module", Part: "action", Kind: KindText, Stage: Complete, Family: true, Presence: true, Inspected: true},
}

// reserved are attributes of the policy language that this version cannot
// answer. A policy that uses one must not load as if the rule could match.
var reserved = []string{
	"dnsbl", "sender_mx", "sender_dnsbl", "spf", "correspondent", "dkim", "dmarc",
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

// String returns the name used in policies; of a family what stands before the
// dot, or, where that alone does not tell, the whole with NAME for the member.
func (a Attr) String() string {
	if int(a) >= len(catalogue) {
		return "unknown"
	}
	if row := &catalogue[a]; row.Part != "" {
		return row.Name + ".NAME." + row.Part
	}
	return catalogue[a].Name
}
