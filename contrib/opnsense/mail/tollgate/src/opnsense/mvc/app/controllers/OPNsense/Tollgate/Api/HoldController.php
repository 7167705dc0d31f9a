<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

namespace OPNsense\Tollgate\Api;

class HoldController extends QueryControllerBase
{
    public function searchAction()
    {
        return $this->ask('hold-list', []);
    }

    public function releaseAction()
    {
        return $this->request->isPost() ? $this->ask('hold-release', $this->posted(['queue_id'])) : [];
    }

    public function deleteAction()
    {
        return $this->request->isPost() ? $this->ask('hold-delete', $this->posted(['queue_id'])) : [];
    }
}
