<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

// Core finds a migration by this name.
// phpcs:disable Squiz.Classes.ValidClassName

namespace OPNsense\Tollgate\Migrations;

use OPNsense\Base\BaseModelMigration;
use OPNsense\Core\Config;

/**
 * The name of the gateway has a place of its own, which High Availability does not copy: what stood beside it
 * (networks that send out, the report header) is copied from now on.
 */
class M1_1_0 extends BaseModelMigration
{
    public function run($model)
    {
        parent::run($model);
        $name = (string)(Config::getInstance()->object()->OPNsense->tollgate->general->name ?? '');
        if ($name != '' && (string)$model->node->name == '') {
            $model->node->name = $name;
        }
    }
}
