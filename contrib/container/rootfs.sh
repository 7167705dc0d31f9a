#!/bin/sh
# Lays out what is in the image: "rootfs.sh BINARY FOLDER". Both the Containerfile
# and the test begin with this.
set -eu
binary=$1 root=$2
umask 022
mkdir -p "$root/usr/local/sbin" "$root/etc/ssl/certs" "$root/etc/tollgate" "$root/var/lib/tollgate" "$root/var/log/tollgate" "$root/tmp"
cp "$binary" "$root/usr/local/sbin/tollgate"
chmod 755 "$root/usr/local/sbin/tollgate"
# Of TLS to Redis and HTTP modules. Time zones are in the binary.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo "tollgate:x:10001:10001:tollgate:/var/lib/tollgate:/sbin/nologin" > "$root/etc/passwd"
echo "tollgate:x:10001:" > "$root/etc/group"
chmod 1777 "$root/tmp"
chown 10001:10001 "$root/var/lib/tollgate" "$root/var/log/tollgate"
chmod 750 "$root/var/lib/tollgate" "$root/var/log/tollgate"
