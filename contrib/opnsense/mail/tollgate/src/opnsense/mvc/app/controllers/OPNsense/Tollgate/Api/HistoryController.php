<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

namespace OPNsense\Tollgate\Api;

class HistoryController extends QueryControllerBase
{
    public function searchAction()
    {
        return $this->ask('history', []);
    }
}
