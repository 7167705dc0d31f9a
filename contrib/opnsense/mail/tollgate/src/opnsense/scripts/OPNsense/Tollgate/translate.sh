#!/bin/sh

# Copyright (c) 2026 The tollgate authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Core's pages read one catalogue a language. Ours is merged into it: what core has
# stays as core has it. After each update of core it is to be done again.

base="${LOCALEBASE:-/usr/local/share}"
for tool in msgunfmt msgcat msgfmt; do
    # Without them the pages are English.
    command -v "${tool}" > /dev/null || { echo "tollgate: ${tool} (gettext-tools) is not here: pages stay English"; exit 0; }
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "${work}"' EXIT
for ours in "${base}"/tollgate/*.po; do
    language=$(basename "${ours}" .po)
    catalogue="${base}/locale/${language}/LC_MESSAGES/OPNsense.mo"
    [ -e "${catalogue}" ] || continue
    msgunfmt "${catalogue}" > "${work}/core.po" &&
        msgcat --use-first "${work}/core.po" "${ours}" > "${work}/all.po" &&
        msgfmt -o "${work}/all.mo" "${work}/all.po" &&
        mv "${work}/all.mo" "${catalogue}" || exit 1
    chmod 644 "${catalogue}"
done
