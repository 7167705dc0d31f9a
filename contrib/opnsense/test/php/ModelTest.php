<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

// phpcs:disable PSR1.Files.SideEffects

namespace OPNsense\Tollgate\Tests;

require_once __DIR__ . '/stub.php';
require_once __DIR__ . '/../../mail/tollgate/src/opnsense/mvc/app/models/OPNsense/Tollgate/Tollgate.php';
require_once __DIR__ . '/../../mail/tollgate/src/opnsense/mvc/app/models/OPNsense/Tollgate/Migrations/M1_1_0.php';
require_once __DIR__ . '/../../mail/tollgate/src/opnsense/mvc/app/library/OPNsense/Tollgate/Import.php';

use OPNsense\Core\Config;
use OPNsense\Tollgate\Import;
use OPNsense\Tollgate\Migrations\M1_1_0;
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
            'a reply of what goes on' => [['reply' => '550 5.7.1 No'], 'reply'],
            'a deferral that refuses' => [['action' => 'tempfail', 'reply' => '550 5.7.1 No'], 'reply'],
            'a refusal that defers' => [['action' => 'reject', 'reply' => '450 4.7.1 No'], 'reply'],
            'neither true nor false' => [['field' => 'tls', 'pattern' => 'yes'], 'pattern'],
            'size before the end' => [['field' => 'size', 'pattern' => '> 1 MiB'], 'stage'],
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

    public function testDomainsBesideThePages()
    {
        $values = ['general' => ['enabled' => '1']];
        $folder = sys_get_temp_dir() . '/tollgate-model-' . getmypid();
        mkdir($folder);
        $model = new Tollgate($values);
        (fn () => $this->beside = $folder)->call($model);
        $this->assertCount(1, $model->performValidation(true)->all);
        file_put_contents($folder . '/a.toml', "[recipients]\ndomains_file = \"domains.txt\"\n");
        $this->assertCount(0, $model->performValidation(true)->all);
        unlink($folder . '/a.toml');
        rmdir($folder);
    }

    /**
     * what a configuration of 1.0.2 says is there after the migration: the name in its new place, all else where it was
     */
    public function testMigration()
    {
        Config::$xml = file_get_contents(__DIR__ . '/config-1.0.2.xml');
        $model = new Tollgate();
        $this->assertSame('', (string)$model->node->name);
        (new M1_1_0())->run($model);
        $this->assertSame('mx1.example.org', (string)$model->node->name);
        foreach (Config::getInstance()->object()->OPNsense->tollgate->children() as $section => $values) {
            $old = json_decode(json_encode($values), true);
            $arrays = ['rules', 'clients', 'lists'];
            foreach (in_array($section, $arrays, true) ? [] : $old as $key => $value) {
                if ("$section.$key" != 'general.name' && !is_array($value)) {
                    $this->assertSame($value, (string)$model->getNodeByReference("$section.$key"), "$section.$key");
                }
            }
        }
        $this->assertCount(2, $model->rules->rule->iterateItems());
        $this->assertSame('lotter(y|ies)', (string)$model->rules->rule->iterateItems()[1]->pattern);
        $this->assertSame('', (string)$model->rules->rule->iterateItems()[1]->reply);
        $this->assertCount(1, $model->clients->client->iterateItems());
        $this->assertSame([], $model->performValidation(true)->all);

        // What is there already stays, and a node without a name gets none.
        $model->node->name = 'other.example.org';
        (new M1_1_0())->run($model);
        $this->assertSame('other.example.org', (string)$model->node->name);
        Config::$xml = '<opnsense/>';
        $model = new Tollgate();
        (new M1_1_0())->run($model);
        $this->assertSame('', (string)$model->node->name);
    }

    public function testImport()
    {
        $plan = [
            'settings' => ['node.name' => 'mx1', 'recipients.mode' => 'known'],
            'rows' => [
                'list' => [['name' => 'partners', 'entries' => "192.0.2.0/24\n@partner.example"]],
                'rule' => [
                    ['name' => 'in', 'stage' => 'connect', 'field' => 'client_ip', 'pattern' => '',
                     'list' => 'partners', 'action' => 'accept'],
                    ['name' => 'lottery', 'stage' => 'headers', 'field' => 'subject', 'pattern' => 'lottery'],
                ],
                'tariff' => [['name' => 'basic', 'currency' => 'EUR']],
                'client' => [['id' => 'sales', 'addresses' => 'a@example.org', 'tariff' => 'basic']],
            ],
        ];
        $model = new Tollgate();
        $this->assertSame([], Import::apply($plan, $model));
        $this->assertSame('mx1', (string)$model->node->name);
        $rules = $model->rules->rule->iterateItems();
        $list = $model->lists->list->iterateItems()[0];
        $this->assertSame($list->getAttributes()['uuid'], (string)$rules[0]->list);
        $this->assertSame('lottery', (string)$rules[1]->pattern);
        $tariff = $model->tariffs->tariff->iterateItems()[0]->getAttributes()['uuid'];
        $this->assertSame($tariff, (string)$model->clients->client->iterateItems()[0]->tariff);

        $this->assertCount(4, Import::apply($plan, $model), 'nothing is added to what is there');
        $this->assertCount(2, $model->rules->rule->iterateItems());
        $bad = ['settings' => ['general.nonsense' => '1'], 'rows' => ['client' => [['id' => 'x']]]];
        $this->assertCount(2, Import::apply($bad, new Tollgate()));
    }
}
