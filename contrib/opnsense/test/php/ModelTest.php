<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

// phpcs:disable PSR1.Files.SideEffects

namespace OPNsense\Tollgate\Tests;

require_once __DIR__ . '/stub.php';
require_once __DIR__ . '/../../mail/tollgate/src/opnsense/mvc/app/models/OPNsense/Tollgate/Tollgate.php';

use OPNsense\Tollgate\Tollgate;
use PHPUnit\Framework\TestCase;

class ModelTest extends TestCase
{
    private const GOOD = [
        'name' => 'lottery', 'stage' => 'headers', 'field' => 'subject', 'pattern' => 'lottery', 'action' => 'continue',
    ];

    private function problems(array $values)
    {
        return (new Tollgate($values))->performValidation(true)->all;
    }

    private function rule(array $changes)
    {
        return $this->problems(['rules' => ['rule' => [array_merge(self::GOOD, $changes)]]]);
    }

    public function testGoodRule()
    {
        $this->assertSame([], $this->rule([]));
        $this->assertSame([], $this->rule(['stage' => 'complete']));
        $listed = ['field' => 'client_ip', 'stage' => 'connect', 'pattern' => '', 'list' => 'x'];
        $this->assertSame([], $this->rule($listed));
        $this->assertSame([], $this->rule(['field' => 'header', 'header' => 'X-Mailer']));
    }

    /**
     * @dataProvider badRules
     */
    public function testBadRule($changes, $field)
    {
        $this->assertSame(['rules.rule.0.' . $field], array_keys($this->rule($changes)));
    }

    public function badRules()
    {
        return [
            'too early' => [['stage' => 'connect'], 'stage'],
            'virus before the end' => [['field' => 'virus'], 'stage'],
            'nothing to look for' => [['pattern' => ''], 'pattern'],
            'both' => [['field' => 'sender', 'list' => 'x'], 'list'],
            'text by a list' => [['pattern' => '', 'list' => 'x'], 'list'],
            'header without a name' => [['field' => 'header'], 'header'],
            'greylisting late' => [['action' => 'greylist'], 'action'],
            'one recipient held' => [['stage' => 'rcptto', 'field' => 'recipient', 'action' => 'hold'], 'action'],
            'one recipient discarded' => [
                ['stage' => 'rcptto', 'field' => 'recipient', 'action' => 'discard'], 'action',
            ],
        ];
    }

    public function testEverythingRefused()
    {
        $on = ['general' => ['enabled' => '1']];
        $this->assertSame(['recipients.domains'], array_keys($this->problems($on)));
        $this->assertSame([], $this->problems($on + ['recipients' => ['domains' => 'example.org']]));
        $this->assertSame([], $this->problems($on + ['recipients' => ['mode' => 'known']]));
    }

    public function testClientsAreKnownBySomething()
    {
        $by = fn (array $client) => array_keys($this->problems(['clients' => ['client' => [['id' => 'x'] + $client]]]));
        $this->assertSame(['clients.client.0.addresses'], $by([]));
        $this->assertSame(['clients.client.0.addresses'], $by(['addresses' => "\n"]));
        $this->assertSame([], $by(['addresses' => 'a@example.org']));
        $this->assertSame([], $by(['logins' => 'scanner-3']));
        $this->assertSame([], $by(['networks' => '10.7.0.0/16']));
    }

    public function testSeveralRulesAreTold()
    {
        $bad = array_merge(self::GOOD, ['pattern' => '']);
        $found = $this->problems(['rules' => ['rule' => [self::GOOD, $bad, $bad]]]);
        $this->assertSame(['rules.rule.1.pattern', 'rules.rule.2.pattern'], array_keys($found));
    }
}
