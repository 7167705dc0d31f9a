#!/usr/local/bin/php
<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Brings an existing policy onto the pages: "import.php FILE" says what would go where, "import.php --write FILE"
 * does it. What the pages cannot say becomes conf.d/imported.toml. Nothing is in force before "Apply".
 */

// phpcs:disable PSR1.Files.SideEffects

require_once('script/load_phalcon.php');

use OPNsense\Core\Config;
use OPNsense\Tollgate\Import;
use OPNsense\Tollgate\Tollgate;

$folder = '/usr/local/etc/tollgate';
$write = ($argv[1] ?? '') === '--write';
$file = $argv[$write ? 2 : 1] ?? '';
if ($file === '' || count($argv) > ($write ? 3 : 2)) {
    fwrite(STDERR, "usage: import.php [--write] FILE\n");
    exit(2);
}
exec(escapeshellarg(__DIR__ . '/import.py') . ' ' . escapeshellarg($file), $printed);
$plan = json_decode(implode("\n", $printed), true);
if (!is_array($plan) || isset($plan['error'])) {
    fwrite(STDERR, ($plan['error'] ?? 'import.py does not answer') . "\n");
    exit(1);
}

foreach ($plan['rows'] as $grid => $rows) {
    printf("%-8s %d on the pages\n", $grid, count($rows));
}
printf("settings %d on the pages\n", count($plan['settings']));
foreach ($plan['notes'] as $note) {
    echo "- {$note}\n";
}
$rest = $folder . '/conf.d/imported.toml';
if (!$write) {
    echo $plan['rest'] === '' ? "Nothing is left for conf.d.\n" : "\n--- {$rest}\n{$plan['rest']}";
    exit(0);
}

if (file_exists($rest)) {
    fwrite(STDERR, "{$rest} is there already: nothing was imported\n");
    exit(1);
}
Config::getInstance()->lock();
$model = new Tollgate();
$problems = Import::apply($plan, $model);
if ($problems) {
    fwrite(STDERR, implode("\n", $problems) . "\nnothing was imported\n");
    exit(1);
}
umask(0027); // secrets may stand in URLs
if ($plan['rest'] !== '') {
    if (!is_dir(dirname($rest))) {
        mkdir(dirname($rest), 0755, true);
    }
    if (file_put_contents($rest, $plan['rest']) === false) {
        fwrite(STDERR, "{$rest} cannot be written: nothing was imported\n");
        exit(1);
    }
    @chgrp($rest, 'tollgate');
}
foreach ($plan['files'] as $read) {
    if (realpath(dirname($read)) === realpath($folder . '/conf.d') && substr($read, -5) === '.toml') {
        // What stands there is on the pages or in imported.toml now.
        rename($read, $read . '.imported');
        echo "{$read} is {$read}.imported now\n";
    }
}
if (realpath($file) === realpath($folder . '/policy.toml')) {
    copy($file, $file . '.imported');
    echo "{$file} is kept as {$file}.imported\n";
}
$model->serializeToConfig();
Config::getInstance()->save();
echo "Imported. Look at the pages, then press Apply there; \"tollgate policy diff OLD NEW\" compares two files.\n";
