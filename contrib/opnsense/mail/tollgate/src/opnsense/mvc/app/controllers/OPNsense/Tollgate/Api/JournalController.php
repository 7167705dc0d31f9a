<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

namespace OPNsense\Tollgate\Api;

class JournalController extends QueryControllerBase
{
    public function searchAction()
    {
        return $this->ask('journal', $this->posted([
            'recipient', 'sender', 'client_ip', 'ref', 'queue_id', 'subject', 'since', 'until',
        ]));
    }

    public function storyAction()
    {
        return $this->ask('story', $this->posted(['ref']));
    }
}
