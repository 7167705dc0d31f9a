package survey

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tollgate-mail/tollgate/internal/doctor"
	"github.com/tollgate-mail/tollgate/internal/postfix"
)

// instances are the Postfix instances that are to be looked at.
func instances(ctx context.Context, s Source) []doctor.Postfix {
	var all []postfix.Instance
	for _, dir := range s.Instance {
		all = append(all, postfix.Instance{Config: dir})
	}
	if len(all) == 0 {
		primary := postfix.Instance{Config: s.Places.PostfixConfig}
		found, err := postfix.Instances(ctx, primary)
		if err != nil {
			return []doctor.Postfix{{Config: primary.Config, Missing: err.Error()}}
		}
		all = found
	}
	var out []doctor.Postfix
	for _, i := range all {
		p, err := instance(ctx, i, s.Places.Listen)
		if err != nil {
			p = doctor.Postfix{Config: i.Config, Missing: err.Error()}
		}
		out = append(out, p)
	}
	return out
}

func instance(ctx context.Context, i postfix.Instance, listen []string) (p doctor.Postfix, err error) {
	p.Config = i.Config
	if p.Settings, err = i.Settings(ctx, append(doctor.Parameters(), "smtpd_milters", "non_smtpd_milters", "queue_directory", "smtpd_tls_chain_files")...); err != nil {
		return p, err
	}
	reach, err := i.Reach(ctx, listen)
	if err == nil {
		err = reach.Check(ctx, i)
	}
	if errors.Is(err, postfix.ErrUnavailable) {
		return p, err
	}
	if err != nil && !errors.Is(err, postfix.ErrNoSocket) { // that is said of the daemon
		p.Socket = err.Error()
	}
	list := func(value string) []doctor.Milter {
		milters := []doctor.Milter{}
		for _, m := range postfix.Milters(value) {
			milters = append(milters, doctor.Milter{Address: m.Address, Ours: reach.Is(m.Address), Options: m.Options})
		}
		return milters
	}
	p.SMTP, p.Local = list(p.Settings["smtpd_milters"]), list(p.Settings["non_smtpd_milters"])
	options, err := i.Options(ctx)
	if err != nil {
		return p, err
	}
	services, err := i.Services(ctx)
	if err != nil {
		return p, err
	}
	for _, s := range services {
		one := doctor.Service{Name: s.Name, Command: s.Command, Chroot: s.Chroot, Options: options[s.Name]}
		if own, ok := one.Options["smtpd_milters"]; ok {
			one.Milters = list(own)
		}
		p.Services = append(p.Services, one)
	}
	p.Running = i.Running(ctx)
	p.Cert = certificate(p.Settings)
	return p, nil
}

// certificate is what Postfix shows; nil where it shows none.
func certificate(settings map[string]string) *doctor.Certificate {
	c := &doctor.Certificate{File: settings["smtpd_tls_cert_file"], Key: settings["smtpd_tls_key_file"]}
	if chain := strings.Fields(strings.ReplaceAll(settings["smtpd_tls_chain_files"], ",", " ")); len(chain) > 0 {
		c.File, c.Key = chain[0], chain[0]
	}
	if c.File == "" {
		return nil
	}
	if c.Key == "" || c.Key == "$smtpd_tls_cert_file" {
		c.Key = c.File
	}
	parsed, err := readCertificate(c.File)
	if err != nil {
		c.Unreadable = err.Error()
		return c
	}
	c.From, c.Until, c.Names = parsed.NotBefore, parsed.NotAfter, parsed.DNSNames
	info, err := os.Stat(c.Key)
	if err != nil {
		c.Unreadable = err.Error()
		return c
	}
	c.KeyMode = uint32(info.Mode().Perm())
	return c
}

func readCertificate(path string) (*x509.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			return nil, fmt.Errorf("%s has no certificate", path)
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
}
