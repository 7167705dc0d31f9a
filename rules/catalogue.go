package rules

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
)
