#!/usr/bin/env bash
# Tries the Debian package on bare systems: "packages.sh [--from COMMIT] SUITE...",
# SUITE being bookworm or trixie. Each is booted with its own systemd and a stock
# Postfix, in a container without a network; test/packages is what runs there. With
# --from it begins with a package of that commit's binary, or of this one's where the
# clone does not have that commit. Root; the network only to make a root that is not
# there yet. KEEP=1 keeps the root.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-$(test/go.sh)}
from=
if [ "${1-}" = --from ]; then from=$2; shift 2; fi

[ "$(id -u)" = 0 ] || { echo "only root can boot a container" >&2; exit 1; }
# Whatever is wrong here, a test that cannot be run has not passed.
unshare --mount --pid --net --fork true || { echo "no container can be made here (unshare): the package cannot be tried" >&2; exit 1; }

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/tollgate/packages
mkdir -p "$cache"
work=$(mktemp -d /var/tmp/tollgate-packages.XXXXXX)
chmod 755 "$work"
trap '[ -n "${KEEP-}" ] && echo "kept: $work" || rm -rf --one-file-system "$work"' EXIT

build() { GO="$go" contrib/debian/build.sh "$@" 2> "$work/build.log" || { cat "$work/build.log" >&2; return 1; }; }
new=$(build "$work")
again=$(umask 077 && export TZ=Asia/Tokyo && build "$work/again")
cmp "$new" "$again" || { echo "two builds give two packages" >&2; exit 1; }
CGO_ENABLED=0 "$go" build -trimpath -o "$work/driver" ./test/packages
old=
if [ -n "$from" ]; then
  mkdir "$work/source"
  if git cat-file -e "$from^{commit}" 2>/dev/null; then
    git archive "$from" | tar -C "$work/source" -x
  else
    echo "commit $from is not in this clone: the upgrade is from a package of this commit's binary" >&2
    cp -r . "$work/source"
  fi
  (cd "$work/source" && CGO_ENABLED=0 "$go" build -buildvcs=false -trimpath -ldflags "-s -w" -o "$work/before" ./cmd/tollgate)
  old=$(VERSION=0.0.0~before BINARY="$work/before" build "$work")
fi

for suite in "$@"; do
  tar="$cache/$suite.tar"
  # A root of last month lacks what was mended since.
  if ! [ -e "$tar" ] || [ -n "$(find "$tar" -mtime +30)" ]; then
    echo "making a bare $suite with Postfix"
    mmdebstrap --quiet --variant=minbase --include=systemd,postfix,ca-certificates,logrotate \
      --essential-hook='printf "postfix postfix/main_mailer_type select Internet Site\npostfix postfix/mailname string example.org\n" | chroot "$1" debconf-set-selections' \
      "$suite" "$tar.new" || { echo "no root of $suite could be made: the package cannot be tried" >&2; exit 1; }
    mv "$tar.new" "$tar"
  fi
  root="$work/$suite"
  mkdir "$root"
  tar -C "$root" -xf "$tar"
  mkdir -p "$root/try" "$root/etc/systemd/system/default.target.wants"
  cp "$new" "$root/try/new.deb"
  args="-new /try/new.deb"
  if [ -n "$old" ]; then cp "$old" "$root/try/old.deb"; args="$args -old /try/old.deb"; fi
  cp "$work/driver" "$root/try/driver"
  chroot "$root" useradd -m ivan
  # The driver's end is the container's.
  cat > "$root/etc/systemd/system/try.service" <<UNIT
[Unit]
After=multi-user.target postfix.service
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=exec
ExecStart=/try/driver $args
StandardOutput=file:/try/out
StandardError=file:/try/out
[Install]
WantedBy=default.target
UNIT
  ln -s ../try.service "$root/etc/systemd/system/default.target.wants/try.service"
  echo "=== $suite${from:+, from $from}"
  code=0
  timeout 600 systemd-nspawn --quiet --register=no --keep-unit --private-network --machine="tollgate-$suite-$$" --console=pipe \
    --system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" \
    --boot --directory="$root" < /dev/null > "$work/$suite.boot" 2>&1 || code=$?
  cat "$root/try/out" 2>/dev/null || tail -40 "$work/$suite.boot"
  [ "$code" = 0 ] && grep -q ' ok$' "$root/try/out" || { echo "$suite: failed ($code)" >&2; exit 1; }
  [ -n "${KEEP-}" ] || rm -rf --one-file-system "$root"
done
