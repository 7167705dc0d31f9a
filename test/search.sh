#!/usr/bin/env bash
# How much dearer a search of the journal is than grep over the same file: "search.sh
# [LINES] [TOLLGATE]". Seconds are those of user and system, so that what else runs on
# the machine counts little; the file is read once before. Exact conditions stand beside
# grep -F in the C locale, folded and part ones beside grep -iF in UTF-8, a packed file
# beside zgrep.
set -eu
lines=${1:-2000000} tollgate=${2:-bin/tollgate}
dir=$(mktemp -d /var/tmp/tollgate-search.XXXXXX)
trap 'rm -rf "$dir"' EXIT
awk -v n="$lines" 'BEGIN {
  split("Отчёт за квартал|Invoice 2026-11|Re: встреча|Newsletter no. 12|Letter|Offer", subject, "|")
  for (i = 0; i < n; i++) {
    text = i % 99991 == 7 ? "Счёт на оплату" : subject[1 + i % 6]
    printf "{\"time\":\"2026-11-%02dT%02d:%02d:%02d.000Z\",\"kind\":\"messages\",\"gateway\":\"mx1.example.org\",\"policy\":\"0123456789ab\",\"ref\":\"ref%08d\",\"queue_id\":\"4L%09X\",\"message_id\":\"<%d@mail%d.example.com>\",\"client_ip\":\"192.0.%d.%d\",\"client_host\":\"mail%d.example.com\",\"helo\":\"mail%d.example.com\",\"tls\":\"TLSv1.3\",\"auth_user\":\"\",\"direction\":\"inbound\",\"sender\":\"user%d@example%d.com\",\"recipients\":[\"person%d@example.org\"],\"subject\":\"%s\",\"size\":%d,\"stage\":\"complete\",\"verdict\":\"accept\",\"rule\":\"\",\"rules\":[{\"name\":\"sender-has-mx\",\"stage\":\"mailfrom\",\"weight\":\"-0.5\"},{\"name\":\"newsletter\",\"stage\":\"headers\",\"weight\":\"1\"}],\"modules\":[],\"weight\":\"0.5\",\"reply\":\"\",\"reason\":\"\"}\n",
      1 + int(i * 27 / n), int(i / 3600) % 24, int(i / 60) % 60, i % 60, i, i, i, i % 53, i % 250, i % 251, i % 53, i % 53, i % 99733, i % 31, i % 50021, text, 1000 + i % 90000
  }
}' > "$dir/messages.jsonl"
last=$((lines - 1)) mid=$((lines / 2))
mkdir "$dir/packed"
head -n $((lines / 10)) "$dir/messages.jsonl" | gzip > "$dir/packed/messages.jsonl.1.gz"
TIMEFORMAT='%U %S'
# seconds of a command, in ms
cost() { { time "$@" > "$dir/out" 2>&1 || true; } 2>&1 | awk '{print int(($1 + $2) * 1000)}'; }
row() { # what, grep's locale, grep's words..., --, journal's words...
  local what=$1 locale=$2 g=() ; shift 2
  while [ "$1" != -- ]; do g+=("$1"); shift; done; shift
  local a b na nb
  a=$(LC_ALL=$locale cost "${g[@]}"); na=$(wc -l < "$dir/out")
  b=$(TZ=UTC cost "$tollgate" journal --json "$@"); nb=$(wc -l < "$dir/out")
  printf '%-14s %6d ms %6d ms %5.1f   %d and %d lines\n' "$what" "$a" "$b" "$(echo "$b $a" | awk '{print $1 / ($2 ? $2 : 1)}')" "$na" "$nb"
}
cat "$dir/messages.jsonl" > /dev/null
f=$dir/messages.jsonl d=(--dir "$dir") p=(--dir "$dir/packed")
printf '%-14s %9s %9s %5s   (%d lines, %d MB)\n' condition grep journal ratio "$lines" $(($(stat -c %s "$f") / 1000000))
row --ref        C       grep -F "ref$(printf %08d $last)" "$f" -- "${d[@]}" --ref "ref$(printf %08d $last)"
row --message-id C       grep -F "<$mid@" "$f" -- "${d[@]}" --message-id "<$mid@mail$((mid % 53)).example.com>"
row --client-ip  C       grep -F '"192.0.7.200"' "$f" -- "${d[@]}" --client-ip 192.0.7.200
row --recipient  C.UTF-8 grep -iF person777@example.org "$f" -- "${d[@]}" --recipient person777@example.org
row 'a part'     C.UTF-8 grep -iF person50020 "$f" -- "${d[@]}" --recipient person50020
sender=user$((mid % 99733))@example$((mid % 31)).com
row --sender     C.UTF-8 grep -iF "$sender" "$f" -- "${d[@]}" --sender "$sender"
row --subject    C.UTF-8 grep -iF 'счёт на' "$f" -- "${d[@]}" --subject 'счёт на'
row 'many hits'  C.UTF-8 grep -iF 'newsletter no' "$f" -- "${d[@]}" --subject 'newsletter no'
row ANYTHING     C.UTF-8 grep -iF "$(printf 4L%09X $mid)" "$f" -- "${d[@]}" "$(printf 4L%09X $mid)"
row packed       C       zgrep -F ref00000099 "$dir/packed/messages.jsonl.1.gz" -- "${p[@]}" --ref ref00000099
row '-n 2'       C       tail -n 2 "$f" -- "${d[@]}" -n 2
