package trial

import (
	netmail "net/mail"
	"slices"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/mail"
)

// Guess takes a sender and recipients from the header of a stored message, for
// those who do not know its envelope: Return-Path, else From; Delivered-To and
// X-Original-To, else To and Cc.
func Guess(text []byte) (sender string, recipients []string) {
	h, _ := mail.SplitMessage(text)
	if from := addresses(h, "Return-Path"); len(from) > 0 {
		sender = from[0]
	} else if from := addresses(h, "From"); len(from) > 0 {
		sender = from[0]
	}
	if recipients = addresses(h, "Delivered-To", "X-Original-To"); len(recipients) == 0 {
		recipients = addresses(h, "To", "Cc")
	}
	return sender, recipients
}

// mostGuessed bounds the recipients of a message that names thousands.
const mostGuessed = 1000

func addresses(h mail.Header, names ...string) (all []string) {
	for _, name := range names {
		for _, f := range h {
			if !strings.EqualFold(f.Name, name) {
				continue
			}
			// What cannot be read as addresses is no guess.
			list, _ := netmail.ParseAddressList(f.Value)
			for _, a := range list {
				if !slices.Contains(all, a.Address) && len(all) < mostGuessed {
					all = append(all, a.Address)
				}
			}
		}
	}
	return all
}
