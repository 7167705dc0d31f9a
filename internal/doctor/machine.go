package doctor

import (
	"strings"
	"time"
)

const (
	certificateWarning = 14 * 24 * time.Hour
	leastFree          = 512 << 20 // octets
	largeJournal       = 2 << 30   // octets
)

func (e *examination) machine() {
	m := &e.Machine
	if m.ClockSynced != nil && !*m.ClockSynced {
		e.warn("clock-free", advice{"records, greylisting and signatures of others rely on the time", "timedatectl set-ntp true"}, "nothing sets the clock")
	}
	if e.Now.Year() < 2026 {
		e.fault("clock-wrong", advice{"mail is billed to other days, and all certificates are \"not yet valid\"", "timedatectl set-ntp true"}, "the clock says %s", e.Now.Format(time.DateTime))
	}
	if !m.Rotation && m.JournalSize > largeJournal {
		e.warn("journals-not-rotated", advice{"they grow until the disk is full, and then mail is deferred", "install contrib/systemd/logrotate.conf as /etc/logrotate.d/tollgate"},
			"a journal has %d octets and nobody rotates it", m.JournalSize)
	}
}

func (e *examination) disk(d Disk) {
	var what, why, more string
	switch d.Use {
	case "state":
		what, why, more = "the state folder", "records cannot be kept: all mail is deferred", "du -x "+d.Path
	case "journals":
		what, why, more = "the journals", "refusals could not be found any more: all mail is deferred", "logrotate -f /etc/logrotate.d/tollgate"
	default:
		what, why, more = "Postfix's queue", "Postfix takes no mail", "postqueue -p"
	}
	switch {
	case d.Error != "":
		e.fault("disk-"+d.Use+"-missing", advice{why, "install -d -o tollgate -g tollgate -m 750 " + d.Path}, "%s %s: %s", what, d.Path, d.Error)
		return
	case d.ReadOnly:
		e.fault("disk-"+d.Use+"-read-only", advice{why, "mount -o remount,rw " + d.Path + "; dmesg"}, "%s %s cannot be written", what, d.Path)
	case d.Size > 0 && (d.Free < leastFree || d.Free < d.Size/50):
		e.fault("disk-"+d.Use+"-full", advice{why, more}, "%s %s: %d MB are free", what, d.Path, d.Free>>20)
	case d.Nodes > 0 && d.FreeInodes < d.Nodes/50:
		e.fault("disk-"+d.Use+"-inodes", advice{why, "df -i " + d.Path}, "%s %s: %d inodes are free", what, d.Path, d.FreeInodes)
	}
	if d.Use == "state" && (d.Type == "tmpfs" || d.Type == "ramfs") {
		e.fault("disk-state-memory", advice{"a restart of the machine loses usage records", "have state_dir on a disk"}, "%s %s lies in memory (%s)", what, d.Path, d.Type)
	}
	if d.Use == "state" && strings.HasPrefix(d.Type, "nfs") {
		e.warn("disk-state-network", advice{"locks and syncs over a network cost time with each message, and hang with it", "have state_dir on a local disk"}, "%s %s lies on %s", what, d.Path, d.Type)
	}
}

func (e *examination) file(f File) {
	switch {
	case f.Error != "":
		e.fault("file-missing", advice{"the next start or reload fails", "put it there, or take it out of the policy"}, "%s: %s", f.Path, f.Error)
	case !f.Readable:
		e.fault("file-unreadable", advice{"the next start or reload fails", "chgrp tollgate " + f.Path + " && chmod g+r " + f.Path}, "the daemon's user cannot read %s", f.Path)
	case f.Secret && f.Mode&0o007 != 0:
		e.fault("file-secret-open", advice{"every user of the machine reads the password", "chmod o= " + f.Path}, "%s holds a password and is open to all (%04o)", f.Path, f.Mode)
	case f.Mode&0o002 != 0:
		e.fault("file-writable", advice{"every user of the machine decides what mail passes", "chmod o-w " + f.Path}, "everybody may write %s (%04o)", f.Path, f.Mode)
	case f.Owner != "" && f.Owner != "root":
		e.warn("file-owner", advice{"who breaks into that account changes the policy", "chown root " + f.Path}, "%s belongs to %s, not to root", f.Path, f.Owner)
	}
}

func (e *examination) certificate(c *Certificate, host string) {
	const renew = "certbot renew, or put the new one there; then postfix reload"
	if c.Unreadable != "" {
		e.fault("certificate-unreadable", advice{"STARTTLS fails: mail comes in clear text or not at all", "postconf smtpd_tls_cert_file smtpd_tls_key_file"}, "%s: %s", c.File, c.Unreadable)
		return
	}
	switch {
	case e.Now.After(c.Until):
		e.fault("certificate-expired", advice{"senders that check it do not deliver", renew}, "%s has expired on %s", c.File, c.Until.Format(time.DateOnly))
	case c.Until.Sub(e.Now) < certificateWarning:
		e.warn("certificate-expires", advice{"senders that check it will not deliver", renew}, "%s expires on %s", c.File, c.Until.Format(time.DateOnly))
	case e.Now.Before(c.From):
		e.fault("certificate-early", advice{"senders that check it do not deliver", "date"}, "%s is valid from %s on", c.File, c.From.Format(time.DateOnly))
	}
	if host != "" && len(c.Names) > 0 && !named(c.Names, host) {
		e.warn("certificate-name", advice{"senders that check it do not deliver", "have one made for " + host}, "%s is for %s, not for %s", c.File, strings.Join(c.Names, ", "), host)
	}
	if c.KeyMode&0o007 != 0 {
		e.fault("certificate-key-open", advice{"every user of the machine can speak in our name", "chmod o= " + c.Key}, "%s is open to all (%04o)", c.Key, c.KeyMode)
	}
}

// named tells whether a certificate's names have a host (RFC 6125 section 6.4.3).
func named(names []string, host string) bool {
	host = strings.ToLower(host)
	_, parent, _ := strings.Cut(host, ".")
	for _, n := range names {
		n = strings.ToLower(n)
		if n == host || strings.HasPrefix(n, "*.") && n[2:] == parent {
			return true
		}
	}
	return false
}
