#!/bin/sh
# Makes what a release consists of, in dist: binaries and archives for each system,
# the Debian packages, the bill of materials, and the checksums over all of it.
# Fails when govulncheck finds something. Where its database cannot be reached, it is
# made of the module golang.org/x/vulndb, which has the same reports a little later.
# UNCHECKED=1 goes on where neither can be had, and says so in dist/VULNERABILITIES.
set -eu
cd "$(dirname "$0")/.."
cyclonedx=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.9.0
go=${GO:-$(test/go.sh release)}
umask 022
export LC_ALL=C TZ=UTC GOTOOLCHAIN=local

[ -z "$(git status --porcelain)" ] || { echo "there are changes that are in no commit" >&2; exit 1; }
stamp=$(git log -1 --format=%ct)
VERSION=${VERSION:-$(git describe --tags --always --match 'v[0-9]*')}
version=${VERSION#v}
out=dist
rm -rf "$out"
mkdir "$out"

for target in linux/amd64 linux/arm64 freebsd/amd64 freebsd/arm64; do
  os=${target%/*} arch=${target#*/}
  name=tollgate-$version-$os-$arch
  mkdir "$out/$name"
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch "$go" build -trimpath -ldflags "-s -w -X main.version=$version" -o "$out/$name/tollgate" ./cmd/tollgate
  cp README.md README.ru.md LICENSE CHANGELOG.md contrib/starter.toml "$out/$name"
  find "$out/$name" -exec touch -h -d "@$stamp" {} +
  tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner -c "$name" | gzip -9n > "$out/$name.tar.gz"
  rm -r "${out:?}/$name"
done
for arch in amd64 arm64; do
  ARCH=$arch GO="$go" contrib/debian/build.sh "$out" >/dev/null 2>&1
done

# Of the command: what is linked in, with licences and hashes.
"$go" run "$cyclonedx" app -json -licenses -noserial -output "$out/tollgate-$version.cdx.json" -main cmd/tollgate .

unreachable='vuln.*\(no such host\|refused\|403\|timeout\|connect\|unreachable\|Forbidden\)'
vulnerabilities() { "$go" run "$govulncheck" "$@" ./... > "$out/VULNERABILITIES" 2>&1; }
if ! vulnerabilities; then
  grep -q "$unreachable" "$out/VULNERABILITIES" || { cat "$out/VULNERABILITIES" >&2; exit 1; }
  echo "the vulnerability database cannot be reached: it is made of golang.org/x/vulndb" >&2
  database=$(mktemp -d)
  trap 'rm -rf "$database"' EXIT
  if module=$("$go" mod download -json golang.org/x/vulndb@latest | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') && [ -n "$module" ] &&
    from=$(python3 contrib/vulndb.py "$module" "$database/v1"); then
    vulnerabilities -db "file://$database/v1" || { cat "$out/VULNERABILITIES" >&2; exit 1; }
    echo "Database: golang.org/x/vulndb, $from" >> "$out/VULNERABILITIES"
  elif [ -n "${UNCHECKED-}" ]; then
    echo "govulncheck has not run: its database could not be reached" > "$out/VULNERABILITIES"
  else
    echo "neither the vulnerability database (vuln.go.dev) nor the module golang.org/x/vulndb can be had: nothing is known of" \
      "vulnerabilities. UNCHECKED=1 makes a release all the same, which says so" >&2
    exit 1
  fi
fi
cat "$out/VULNERABILITIES"
(cd "$out" && sha256sum -- * > SHA256SUMS && sha256sum --quiet --check SHA256SUMS)
ls -l "$out"
