#!/usr/bin/env bash
# A bare Debian, the lines of README.md as they stand, a stock Postfix in its
# chroot, and the first message: "bareroot.sh [bookworm|trixie]". Root. Installing
# has the network; from "tollgate check" on there is only a loopback. systemctl is
# a stand-in, which runs what the unit says: ExecStartPre, and ExecStart as its
# User. KEEP=1 keeps the root.
set -eu
suite=${1:-bookworm}
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/tollgate/bareroot
mkdir -p "$cache"
# A root must be entered by Postfix's and tollgate's users.
root=$(mktemp -d /var/tmp/tollgate-bare.XXXXXX)
chmod 755 "$root"

cleanup() {
  for at in dev proc root/.cache root/go; do
    mountpoint -q "$root/$at" && umount -R -l "$root/$at"
  done
  [ -n "${KEEP-}" ] && echo "kept: $root" || rm -rf --one-file-system "$root"
}
trap cleanup EXIT

command -v mmdebstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
if ! [ -e "$cache/$suite.tar" ]; then
  echo "making a bare $suite"
  mmdebstrap --quiet --variant=minbase --include=systemd,ca-certificates "$suite" "$cache/$suite.new.tar"
  mv "$cache/$suite.new.tar" "$cache/$suite.tar"
fi
tar -C "$root" -xf "$cache/$suite.tar"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# Where packages come through a proxy with a certificate of its own.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
for from in /etc/apt/apt.conf.d/*[pP]roxy*; do [ ! -e "$from" ] || cp "$from" "$root/etc/apt/apt.conf.d/"; done
mkdir -p "$root/usr/src/tollgate" "$root/root/.cache" "$root/root/go"
git ls-files -z | xargs -0 tar -c | tar -C "$root/usr/src/tollgate" -x
# What was fetched and built once need not be again.
mkdir -p "$cache/$suite/cache" "$cache/$suite/go"
mount --bind "$cache/$suite/cache" "$root/root/.cache"
mount --bind "$cache/$suite/go" "$root/root/go"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --make-rslave "$root/dev"

inside() { env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb DEBIAN_FRONTEND=noninteractive "$@"; }

# The lines of the README, the one that installs and the others.
lines=$(sed -n '/^## Attaching it to Postfix/,/^\[/{s/^    //p}' README.md)
install=$(printf '%s\n' "$lines" | head -n 1)
run=$(printf '%s\n' "$lines" | tail -n +2)
case $install in "make install"*) ;; *) echo "README.md begins with another line: $install" >&2; exit 1 ;; esac

echo "--- a stock Debian with Postfix"
inside chroot "$root" bash -eu > "$root/var/log/install.log" 2>&1 <<'IN' || { tail -30 "$root/var/log/install.log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
apt-get update -qq
echo "postfix postfix/main_mailer_type select Internet Site" | debconf-set-selections
echo "postfix postfix/mailname string example.org" | debconf-set-selections
apt-get install -y -qq --no-install-recommends make postfix
useradd -m ivan
IN

echo "--- $install"
inside chroot "$root" bash -eu -c "cd /usr/src/tollgate && $install" >> "$root/var/log/install.log" 2>&1 || { tail -30 "$root/var/log/install.log" >&2; exit 1; }

cat > "$root/usr/local/bin/systemctl" <<'IN'
#!/bin/bash
# Stands in for systemctl(1) where no systemd runs: enable --now and restart, and
# nothing else.
set -eu
case $* in
  "enable --now tollgate" | "start tollgate" | "enable tollgate") ;;
  "restart tollgate")
    if [ -e /run/tollgate.pid ]; then
      kill "$(cat /run/tollgate.pid)" 2>/dev/null || true
      for _ in $(seq 300); do [ -S /var/lib/tollgate/control.sock ] || break; sleep 0.1; done
    fi ;;
  *) echo "systemctl $*: not here" >&2; exit 1 ;;
esac
[ "$*" != "enable tollgate" ] || exit 0
unit=/usr/lib/systemd/system/tollgate.service
of() { sed -n "s/^$1=//p" "$unit"; }
user=$(of User)
for dir in "/var/lib/$(of StateDirectory)" "/var/log/$(of LogsDirectory)"; do install -d -o "$user" -g "$user" -m 750 "$dir"; done
of ExecStartPre | sed 's/^+//; s/\$\$/$/g' | while read -r line; do eval "$line"; done
setpriv --reuid "$user" --regid "$user" --init-groups $(of ExecStart) > /var/log/tollgate.out 2>&1 < /dev/null &
echo $! > /run/tollgate.pid
for _ in $(seq 300); do [ -S /var/lib/tollgate/control.sock ] && exit 0; sleep 0.1; done
cat /var/log/tollgate.out >&2
exit 1
IN
chmod +x "$root/usr/local/bin/systemctl"
cat > "$root/usr/local/bin/edit" <<'IN'
#!/bin/sh
# The one edit: the line that asks for it.
sed -i '/EDIT THIS LINE/s/^domains = \[\]/domains = ["example.org"]/' "$1"
IN
chmod +x "$root/usr/local/bin/edit"

cat > "$root/root/first" <<IN
set -eu
ip link set lo up 2>/dev/null || python3 -c 'pass' 2>/dev/null || true
postfix start 2>/dev/null
began=\$(date +%s.%N)
export EDITOR=edit
{ tollgate check && echo "check says nothing" && exit 1; } 2>&1 | grep -c policy.toml: | grep -qx 1 || { echo "an untouched policy has not exactly one message" >&2; exit 1; }
yes | { $run
}
exec 3<>/dev/tcp/127.0.0.1/25
hear() { while read -r line <&3; do line=\${line%\$'\r'}; echo "S: \$line"; case \$line in \$1\ *) return 0 ;; \$1-*) ;; *) return 1 ;; esac; done; return 1; }
say() { echo "C: \$1"; printf '%s\r\n' "\$1" >&3; }
hear 220
say "EHLO mail.example.com"; hear 250
say "MAIL FROM:<anna@example.com>"; hear 250
say "RCPT TO:<ivan@example.org>"; hear 250
say "DATA"; hear 354
say "From: anna@example.com"; say "To: ivan@example.org"; say "Subject: the first message"; say ""; say "Hello"; say "."; hear 250
say "QUIT"
echo "--- tollgate journal ivan"
tollgate journal ivan
tollgate journal messages --json ivan | grep -q '"verdict":"accept"'
for _ in \$(seq 300); do grep -q "the first message" /var/mail/ivan 2>/dev/null && break; sleep 0.1; done
grep -q "^X-Tollgate:" /var/mail/ivan || { echo "it did not arrive with our mark" >&2; exit 1; }
tollgate status
ended=\$(date +%s.%N)
echo "--- and by tollgate setup, as somebody answers it"
tollgate detach --yes > /dev/null
cp /usr/src/tollgate/contrib/starter.toml /etc/tollgate/policy.toml
answered=\$(date +%s.%N)
printf '%s\n' mx1.example.org example.org local "" none embedded y y y y | tollgate setup > /root/setup.out 2>&1 || { cat /root/setup.out; exit 1; }
cat /root/setup.out
grep -q "accept" /root/setup.out || { echo "no story of the test message" >&2; exit 1; }
tollgate status | grep -q ': ok$' || { tollgate status; exit 1; }
if grep -q '^confine = "on"' /etc/tollgate/policy.toml; then # setup has found that the kernel can
  tollgate status | grep '^confined .*by Landlock' || { echo "it is not confined" >&2; exit 1; }
fi
echo "--- doctor"
tollgate doctor || true
tollgate doctor --json | grep -q 'postfix-not-attached\|daemon-down\|policy-bad' && { echo "doctor finds what setup should have done" >&2; exit 1; }
echo "set up by six answers, \$(awk "BEGIN{printf \"%.1f\", \$(date +%s.%N)-\$answered}") s"
echo "first message judged and delivered, \$(awk "BEGIN{printf \"%.1f\", \$ended-\$began}") s after installing ($suite)"
IN
echo "--- by the README, without a network"
echo "$run"
inside unshare --net --pid --fork --kill-child sh -c "
  (command -v ip >/dev/null && ip link set lo up) || python3 -c 'import fcntl,socket,struct
s=socket.socket(); fcntl.ioctl(s,0x8914,struct.pack(\"16sh14x\",b\"lo\",0x41))'
  umount $root/proc; mount -t proc proc $root/proc
  exec chroot $root bash /root/first"
