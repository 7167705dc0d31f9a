#!/usr/bin/env bash
# Installs what building and testing need and what is not there, from Debian's
# packages: "deps.sh WHAT...", WHAT being build, demo, test or packages. Elsewhere, and
# when not root, it says what is missing and fails.
set -eu

declare -A package=(
  [make]=make [go]="golang-go ca-certificates" [gcc]="gcc libc6-dev" [postfix]=postfix [postconf]=postfix
  [redis-server]=redis-server [python3]=python3 [mandoc]=mandoc [ps]=procps
  [clamd]=clamav-daemon [clamdscan]=clamdscan [rspamd]=rspamd [spamd]=spamd [nsd]=nsd [swaks]=swaks
  [dkimverify]=python3-dkim [phpunit]="phpunit php-xml" [msgfmt]=gettext [chromium]=chromium [chromedriver]=chromium-driver [jquery]=libjs-jquery [mmdebstrap]=mmdebstrap [systemd-nspawn]=systemd-container
  [jinja2]=python3-jinja2 [php]=php-cli [phpcs]=php-codesniffer [xmllint]=libxml2-utils [pycodestyle]=pycodestyle
)
declare -A commands=(
  [build]="go"
  [demo]="go postfix postconf ps clamd"
  [test]="go gcc postfix postconf redis-server python3 mandoc ps clamd clamdscan rspamd spamd nsd swaks dkimverify jinja2 php phpcs xmllint pycodestyle phpunit msgfmt mmdebstrap systemd-nspawn"
  [packages]="go make postfix mmdebstrap systemd-nspawn jinja2 chromium chromedriver jquery"
)

present() {
  # A library of the python3 that tests call, not a command.
  [ "$1" != jinja2 ] || { /usr/bin/python3 -c 'import jinja2' 2>/dev/null; return; }
  [ "$1" != jquery ] || { [ -e /usr/share/javascript/jquery/jquery.js ]; return; }
  command -v "$1" >/dev/null || return 1
  # Debian's python3-minimal has the command without the library.
  [ "$1" != python3 ] || python3 -c 'import shlex, selectors' 2>/dev/null
}

missing=() packages=()
for what in "$@"; do
  for command in ${commands[$what]}; do
    present "$command" && continue
    missing+=("$command")
    packages+=(${package[$command]})
  done
done

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing: ${missing[*]}. Install them, or run this as root on Debian (packages: ${packages[*]})." >&2
    exit 1
  fi
  mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
  echo "installing ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Tests start a Postfix of their own; the machine's own stays unconfigured.
  command -v postfix >/dev/null || echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
  log=$(mktemp)
  ( while sleep 10; do echo "  ... $SECONDS s"; done ) & beat=$!
  trap 'kill $beat 2>/dev/null' EXIT
  if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } > "$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  rm -f "$log"
  kill $beat 2>/dev/null
  trap - EXIT
fi

# Debian's Go may be older than go.mod asks for.
if ! go=$("$(dirname "$0")/go.sh" fetch) || ! GOTOOLCHAIN=local "$go" list -m >/dev/null; then
  echo "no Go that can build the module (go.mod says which version it needs)" >&2
  exit 1
fi
