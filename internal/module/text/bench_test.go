package text

import (
	"fmt"
	"strings"
	"testing"
)

// prose is some text of about so many octets, in lines.
func prose(octets int) string {
	words := strings.Fields("storage address of our delivery know the contract notice question match budget let decision expires release please have window for travel folder shared Thursday")
	var b strings.Builder
	for i, n := 0, 0; n < octets; i++ {
		word := words[i*7%len(words)] + " "
		if i%11 == 10 {
			word += "\r\n"
		}
		n += len(word)
		b.WriteString(word)
	}
	return b.String()
}

// The messages that BenchmarkMessages reads.
func plain8k() string {
	return "Content-Type: text/plain; charset=utf-8\r\n\r\n" + prose(8<<10) + "https://www.example.net/answer\r\n"
}

// letter is a text of 8 KiB and its page, with a link in each paragraph.
func letter() string {
	var b strings.Builder
	b.WriteString("Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + prose(2700))
	b.WriteString("\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><p>\r\n")
	for i := range 45 {
		fmt.Fprintf(&b, "<p>%s<a href=3D\"https://www.example.net/%d\">answer</a></p>\r\n", strings.TrimSpace(prose(60)), i)
	}
	return b.String() + "\r\n--b--\r\n"
}

// newsletter is a page of 40 KiB as programs for marketing make them.
func newsletter() string {
	var b strings.Builder
	b.WriteString("Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<!DOCTYPE html><html><head><meta charset=3D\"utf-8\"><title>News</title>\r\n<style type=3D\"text/css\">\r\n" +
		"body{margin:0;padding:0}table,td{border-collapse:collapse}img{border:0;outline:none}p{display:block;margin:13px 0}.ReadMsgBody{width:100%}#outlook a{padding:0}\r\n" +
		"@media only screen and (max-width:480px){.mj-column-per-100{width:100%!important;max-width:100%}.hide-mobile{display:none!important}.full-width{width:100%!important}}\r\n" +
		"</style><!--[if mso]><style>.o{line-height:0}</style><![endif]--></head><body style=3D\"background-color:#f4f4f4;\"><div style=3D\"display:none;max-height:0;overflow:hidden\">Our offers of the week</div>\r\n")
	for i := 0; b.Len() < 40<<10; i++ {
		fmt.Fprintf(&b, "<!--[if mso | IE]><table align=3D\"center\" border=3D\"0\" width=3D\"600\"><tr><td style=3D\"line-height:0px;font-size:0px;\"><![endif]-->\r\n"+
			"<div style=3D\"background:#ffffff;margin:0px auto;max-width:600px;\"><table align=3D\"center\" border=3D\"0\" cellpadding=3D\"0\" cellspacing=3D\"0\" role=3D\"presentation\" style=3D\"width:100%%;\"><tbody><tr>\r\n"+
			"<td style=3D\"direction:ltr;font-size:0px;padding:20px 0;text-align:center;\"><div class=3D\"mj-column-per-100 hide-mobile\" style=3D\"font-size:0px;text-align:left;direction:ltr;display:inline-block;vertical-align:top;width:100%%;\">\r\n"+
			"<img alt=3D\"Picture %d\" height=3D\"auto\" src=3D\"https://cdn.example.net/i/%d.png\" style=3D\"border:0;display:block;height:auto;width:100%%;\" width=3D\"600\"/>\r\n"+
			"<div style=3D\"font-family:Helvetica,Arial,sans-serif;font-size:16px;line-height:24px;color:#333333;\">%s &nbsp;&mdash; <a href=3D\"https://click.example.net/c/%d?u=3Dabcdef0123456789&amp;m=3D%d\" style=3D\"color:#0066cc;text-decoration:none\" target=3D\"_blank\">Read more</a></div>\r\n"+
			"</div></td></tr></tbody></table></div>\r\n", i, i, prose(400), i, i)
	}
	return b.String() + "</body></html>\r\n"
}

// BenchmarkMessages reads ordinary messages.
func BenchmarkMessages(b *testing.B) {
	for name, message := range map[string]string{"plain": plain8k(), "letter": letter(), "newsletter": newsletter()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := new(Inspector).inspect(b.Context(), strings.NewReader(message)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
