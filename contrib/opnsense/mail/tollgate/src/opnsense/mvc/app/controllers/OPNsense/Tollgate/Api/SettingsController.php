<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

namespace OPNsense\Tollgate\Api;

use OPNsense\Base\ApiMutableModelControllerBase;

class SettingsController extends ApiMutableModelControllerBase
{
    protected static $internalModelName = 'tollgate';
    protected static $internalModelClass = 'OPNsense\Tollgate\Tollgate';

    public function searchRuleAction()
    {
        return $this->searchBase('rules.rule');
    }

    public function getRuleAction($uuid = null)
    {
        return $this->getBase('rule', 'rules.rule', $uuid);
    }

    public function addRuleAction()
    {
        return $this->addBase('rule', 'rules.rule');
    }

    public function setRuleAction($uuid)
    {
        return $this->setBase('rule', 'rules.rule', $uuid);
    }

    public function delRuleAction($uuid)
    {
        return $this->delBase('rules.rule', $uuid);
    }

    public function toggleRuleAction($uuid, $enabled = null)
    {
        return $this->toggleBase('rules.rule', $uuid, $enabled);
    }

    public function searchListAction()
    {
        return $this->searchBase('lists.list');
    }

    public function getListAction($uuid = null)
    {
        return $this->getBase('list', 'lists.list', $uuid);
    }

    public function addListAction()
    {
        return $this->addBase('list', 'lists.list');
    }

    public function setListAction($uuid)
    {
        return $this->setBase('list', 'lists.list', $uuid);
    }

    public function delListAction($uuid)
    {
        return $this->delBase('lists.list', $uuid);
    }

    public function searchTariffAction()
    {
        return $this->searchBase('tariffs.tariff');
    }

    public function getTariffAction($uuid = null)
    {
        return $this->getBase('tariff', 'tariffs.tariff', $uuid);
    }

    public function addTariffAction()
    {
        return $this->addBase('tariff', 'tariffs.tariff');
    }

    public function setTariffAction($uuid)
    {
        return $this->setBase('tariff', 'tariffs.tariff', $uuid);
    }

    public function delTariffAction($uuid)
    {
        return $this->delBase('tariffs.tariff', $uuid);
    }

    public function searchClientAction()
    {
        return $this->searchBase('clients.client');
    }

    public function getClientAction($uuid = null)
    {
        return $this->getBase('client', 'clients.client', $uuid);
    }

    public function addClientAction()
    {
        return $this->addBase('client', 'clients.client');
    }

    public function setClientAction($uuid)
    {
        return $this->setBase('client', 'clients.client', $uuid);
    }

    public function delClientAction($uuid)
    {
        return $this->delBase('clients.client', $uuid);
    }

    public function toggleClientAction($uuid, $enabled = null)
    {
        return $this->toggleBase('clients.client', $uuid, $enabled);
    }

    public function searchZoneAction()
    {
        return $this->searchBase('dns.zones.zone');
    }

    public function getZoneAction($uuid = null)
    {
        return $this->getBase('zone', 'dns.zones.zone', $uuid);
    }

    public function addZoneAction()
    {
        return $this->addBase('zone', 'dns.zones.zone');
    }

    public function setZoneAction($uuid)
    {
        return $this->setBase('zone', 'dns.zones.zone', $uuid);
    }

    public function delZoneAction($uuid)
    {
        return $this->delBase('dns.zones.zone', $uuid);
    }

    public function toggleZoneAction($uuid, $enabled = null)
    {
        return $this->toggleBase('dns.zones.zone', $uuid, $enabled);
    }
}
