<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

namespace OPNsense\Tollgate;

/**
 * Puts what import.py took out of a policy into the model.
 */
class Import
{
    /* where the rows of a grid stand; what others refer to comes first */
    private const GRIDS = [
        'list' => 'lists.list', 'tariff' => 'tariffs.tariff', 'rule' => 'rules.rule', 'client' => 'clients.client',
        'zone' => 'dns.zones.zone',
    ];

    /**
     * @param array $plan what import.py prints
     * @param $model the model, of which nothing is saved here
     * @return array what speaks against it, texts; empty: the model has all of it
     */
    public static function apply(array $plan, $model)
    {
        $found = [];
        foreach (self::GRIDS as $reference) {
            foreach ($model->getNodeByReference($reference)->iterateItems() as $row) {
                $found[] = sprintf('there are %s on the pages already: nothing is added to them', $reference);
                break;
            }
        }
        if ($found) {
            return $found;
        }
        foreach ($plan['settings'] as $path => $value) {
            if (!$model->setNodeByReference($path, $value)) {
                $found[] = sprintf('the model has no %s', $path);
            }
        }
        $named = [];
        foreach (self::GRIDS as $grid => $reference) {
            foreach ($plan['rows'][$grid] ?? [] as $row) {
                $node = $model->getNodeByReference($reference)->add();
                foreach ($row as $name => $value) {
                    $node->$name = isset(self::GRIDS[$name]) ? $named[$name][$value] : $value;
                }
                $named[$grid][$row['name'] ?? ''] = $node->getAttributes()['uuid'];
            }
        }
        foreach ($model->performValidation(true) as $message) {
            $found[] = sprintf('%s: %s', $message->getField(), $message->getMessage());
        }
        return $found;
    }
}
