#!/bin/sh
# Postfix in the foreground, with what the environment says: DOMAINS and NEXT_HOP.
set -eu
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
postconf -e "myhostname=$(hostname -f)" "mydestination=" "mynetworks=127.0.0.0/8" "inet_interfaces=all" \
  "relay_domains=$DOMAINS" "relay_transport=relay:$NEXT_HOP" "maillog_file=/dev/stdout" \
  "smtpd_relay_restrictions=permit_mynetworks, reject_unauth_destination" "smtpd_forbid_bare_newline=normalize" \
  "tollgate_milter={ inet:tollgate:8894, connect_timeout=10s, default_action=tempfail }" \
  'smtpd_milters=$tollgate_milter' 'non_smtpd_milters=$tollgate_milter'
exec postfix start-fg
