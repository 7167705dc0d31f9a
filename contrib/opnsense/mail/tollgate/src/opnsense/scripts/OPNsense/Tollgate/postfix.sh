#!/bin/sh

# Copyright (c) 2026 The tollgate authors
# SPDX-License-Identifier: BSD-2-Clause

# Postfix reads its rendered main.cf anew. That drops no session; a Postfix that
# is not running stays so.

postfix=/usr/local/sbin/postfix
[ -x "$postfix" ] || exit 0
"$postfix" status > /dev/null 2>&1 || exit 0
exec "$postfix" reload
