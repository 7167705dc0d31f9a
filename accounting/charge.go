package accounting

import "time"

// Payer is one accepted recipient of a message.
type Payer struct {
	Recipient string // the form under which its client was found
	Client    string // "" when nobody is billed
}

// Sharing says how the size of a message is shared among its recipients.
type Sharing struct {
	Split   bool // evenly; else each pays the whole size
	OverAll bool // a split counts all recipients; the unbilled shares go to Unbilled
}

// Charge makes the usage records of one message: base has what they have in
// common, its ID the part before the recipient.
func Charge(base Record, size int64, payers []Payer, s Sharing) []Record { return nil }

// VoidOf takes a record back.
func VoidOf(r Record, t time.Time) Record { return Record{} }
