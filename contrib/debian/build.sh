#!/bin/sh
# Builds the Debian package: "build.sh [FOLDER]", by default dist. ARCH (amd64,
# arm64) and VERSION may be set, BINARY to package one that was built before. The
# same commit gives the same file, octet for octet.
set -eu
cd "$(dirname "$0")/../.."
# A newer one needs modules by names of their own, which not every proxy has.
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.44.0
go=${GO:-$(test/go.sh)}
umask 022
export LC_ALL=C TZ=UTC GOTOOLCHAIN=local

mkdir -p "${1:-dist}"
out=$(cd "${1:-dist}" && pwd)
ARCH=${ARCH:-$("$go" env GOARCH)}
# Of the last commit; where there is no repository, of what changed last.
if stamp=$(git log -1 --format=%ct 2>/dev/null); then
  describe=$(git describe --tags --match 'v[0-9]*' 2>/dev/null) || describe=
  revision=$(git log -1 --format=%cd.%h --date=format:%Y%m%d%H%M%S)
else
  stamp=$(stat -c %Y CHANGELOG.md) describe='' revision=source
fi
if [ -n "$describe" ]; then
  default=$(echo "${describe#v}" | sed 's/-\([0-9]*\)-g/+\1.g/')
else
  default=0.0.0+git$revision
fi
VERSION=${VERSION:-$default}
SOURCE_DATE_EPOCH=$stamp
export ARCH VERSION SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STAGE="$work"
ROOT="$work/root"
# The completions are printed by a binary that runs here.
CGO_ENABLED=0 "$go" build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o "$work/here" ./cmd/tollgate
if [ -n "${BINARY-}" ]; then
  cp "$BINARY" "$work/tollgate"
else
  CGO_ENABLED=0 GOARCH="$ARCH" "$go" build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o "$work/tollgate" ./cmd/tollgate
fi
make -s --no-print-directory install-files BINARY="$work/tollgate" SELF="$work/here" DESTDIR="$ROOT" PREFIX=/usr >/dev/null
# dpkg knows the administrator's files; of the policy postinst makes a copy once.
install -d "$ROOT/usr/share/tollgate"
mv "$ROOT/etc/tollgate/policy.toml" "$ROOT/usr/share/tollgate/starter.toml"
chmod 644 "$ROOT/usr/share/tollgate/starter.toml"
sed 1d "$ROOT/etc/logrotate.d/tollgate" > "$work/logrotate.conf"
rm -r "$ROOT/etc"
mv "$ROOT/usr/share/zsh/site-functions" "$ROOT/usr/share/zsh/vendor-completions"
mv "$ROOT/usr/share/doc/tollgate/LICENSE" "$ROOT/usr/share/doc/tollgate/copyright"
gzip -9n "$ROOT"/usr/share/man/man[58]/*
find "$ROOT" -exec touch -h -d "@$stamp" {} +
"$go" run "$nfpm" package --config contrib/debian/nfpm.yaml --packager deb --target "$out/tollgate_${VERSION}_$ARCH.deb" >&2
echo "$out/tollgate_${VERSION}_$ARCH.deb"
