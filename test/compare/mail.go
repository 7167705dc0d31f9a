package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/tollgate-mail/tollgate/test/player"
)

// variants is how many different messages there are.
const variants = 64

// signed are the messages, and the key of their signatures as DNS has it.
func signed() (all []player.Message, key string, err error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, "", err
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, "", err
	}
	for i := range variants {
		var b bytes.Buffer
		err := dkim.Sign(&b, strings.NewReader(text(i)), &dkim.SignOptions{
			Domain: "example.net", Selector: "s", Signer: private,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
			HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID", "Content-Type"},
		})
		if err != nil {
			return nil, "", err
		}
		m, err := player.Mail(b.Bytes(), "bounce@example.net", "user")
		if err != nil {
			return nil, "", err
		}
		all = append(all, m)
	}
	return all, base64.StdEncoding.EncodeToString(public), nil
}

// text is a message as offices send it: a text and the same as a page, 8 KiB.
func text(i int) string {
	var b strings.Builder
	for hop := range 4 {
		fmt.Fprintf(&b, "Received: from relay%d.example.net (relay%d.example.net [192.0.2.%d])\r\n\tby mx%d.example.org (Postfix) with ESMTPS id 4ABC%d\r\n\tfor <user0@example.org>; Mon, 23 Nov 2026 08:10:%02d +0000 (UTC)\r\n", hop, hop, hop, hop, i, hop)
	}
	fmt.Fprintf(&b, "From: =?utf-8?Q?J=C3=BCrgen_M=C3=BCller?= <juergen@example.net>\r\nTo: \"User, First\" <user0@example.org>, user1@example.org\r\n"+
		"Subject: =?utf-8?Q?Quartals=C3=BCbersicht_%d?=\r\nDate: Mon, 23 Nov 2026 08:10:17 +0000\r\nMessage-ID: <%d.2.JavaMail.app@mail.example.net>\r\nMIME-Version: 1.0\r\n"+
		"Reply-To: Office <office@example.net>\r\nX-Mailer: Office 16.0\r\nContent-Language: de-DE\r\nContent-Type: multipart/alternative;\r\n\tboundary=\"=_%d\"\r\n", i, i, i)
	for f := range 10 {
		fmt.Fprintf(&b, "X-Office-Field-%d: some words of an ordinary length\r\n", f)
	}
	words := []string{"numbers", "storage", "address", "of", "our", "delivery", "what", "we", "know", "whether", "service", "answer", "review", "the", "report", "before"}
	line := func(n int) string {
		var w []string
		for k := range 11 {
			w = append(w, words[(i*7+n*5+k*3)%len(words)])
		}
		return strings.Join(w, " ")
	}
	fmt.Fprintf(&b, "\r\n--=_%d\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", i)
	for n := range 40 {
		b.WriteString(line(n) + "\r\n")
	}
	fmt.Fprintf(&b, "\r\n--=_%d\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><body>=\r\n\r\n", i)
	for n := range 40 {
		fmt.Fprintf(&b, "<p class=3D\"t\">%s <a href=3D\"https://www.example.net/%d\">more</a></p>\r\n", line(n), n)
	}
	fmt.Fprintf(&b, "</body></html>\r\n--=_%d--\r\n", i)
	return b.String()
}

// zone is all that DNS has: the sender, its key, and three lists that list nobody.
func zone(key string) string {
	var b strings.Builder
	b.WriteString("example.net. 300 IN MX 10 mx.example.net.\nmx.example.net. 300 IN A 192.0.2.10\nexample.net. 300 IN A 192.0.2.10\n" +
		"example.net. 300 IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n_dmarc.example.net. 300 IN TXT \"v=DMARC1; p=none\"\n" +
		"7.2.0.192.in-addr.arpa. 300 IN PTR mail.example.net.\nmail.example.net. 300 IN A 192.0.2.7\n")
	const most = 200 // octets of a character string (RFC 1035 §3.3)
	fmt.Fprintf(&b, "s._domainkey.example.net. 300 IN TXT \"v=DKIM1; k=rsa; p=%s\" %q\n", key[:most], key[most:])
	for _, list := range lists {
		fmt.Fprintf(&b, "2.0.0.127.%s. 300 IN A 127.0.0.2\n", list)
	}
	return b.String()
}
