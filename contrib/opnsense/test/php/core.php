<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The model under core's own classes: "core.php MVC CONF [PLAN]". MVC is core's src/opnsense/mvc with the plugin's
 * laid over it; CONF has a config.xml, which is migrated, filled from what import.py printed, checked and saved.
 */

// phpcs:disable PSR1.Files.SideEffects,PSR1.Classes.ClassDeclaration

namespace Phalcon\Filter {
    if (!class_exists('Phalcon\Filter\Validation')) {
        class Validation
        {
            public function validate($data)
            {
                return [];
            }
        }
    }
}

namespace {
    [, $mvc, $conf] = $argv;
    require_once $mvc . '/app/config/AppConfig.php';
    $config = new OPNsense\Core\AppConfig([
        'application' => [
            'controllersDir' => $mvc . '/app/controllers/', 'modelsDir' => $mvc . '/app/models/',
            'libraryDir' => $mvc . '/app/library/', 'contribDir' => $mvc . '/contrib',
            'configDefault' => '/does/not/exist', 'configDir' => $conf, 'cacheDir' => $conf, 'tempDir' => $conf,
        ],
        'globals' => ['debug' => false, 'owner' => 'root:root', 'simulate_mode' => false],
    ]);
    include $mvc . '/app/config/loader.php';

    $model = new OPNsense\Tollgate\Tollgate();
    if (!$model->runMigrations()) {
        echo "not migrated\n";
    }
    if (isset($argv[3])) {
        foreach (OPNsense\Tollgate\Import::apply(json_decode(file_get_contents($argv[3]), true), $model) as $problem) {
            echo $problem, "\n";
        }
    }
    $model->serializeToConfig(true);
    OPNsense\Core\Config::getInstance()->save(null, false);
}
