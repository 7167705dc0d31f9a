<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

namespace OPNsense\Tollgate;

use OPNsense\Base\IndexController as Pages;

class IndexController extends Pages
{
    public function indexAction()
    {
        $this->view->pick('OPNsense/Tollgate/index');
        $this->view->settingsForm = $this->getForm('settings');
        $this->view->formDialogZone = $this->getForm('dialogZone');
        $this->view->formGridZone = $this->getFormGrid('dialogZone');
    }

    public function rulesAction()
    {
        $this->view->pick('OPNsense/Tollgate/rules');
        $this->view->formDialogRule = $this->getForm('dialogRule');
        $this->view->formGridRule = $this->getFormGrid('dialogRule');
        $this->view->formDialogList = $this->getForm('dialogList');
        $this->view->formGridList = $this->getFormGrid('dialogList');
    }

    public function clientsAction()
    {
        $this->view->pick('OPNsense/Tollgate/clients');
        $this->view->formDialogClient = $this->getForm('dialogClient');
        $this->view->formGridClient = $this->getFormGrid('dialogClient');
        $this->view->formDialogTariff = $this->getForm('dialogTariff');
        $this->view->formGridTariff = $this->getFormGrid('dialogTariff');
    }

    public function reportAction()
    {
        $this->view->pick('OPNsense/Tollgate/report');
    }

    public function journalAction()
    {
        $this->view->pick('OPNsense/Tollgate/journal');
    }

    public function holdAction()
    {
        $this->view->pick('OPNsense/Tollgate/hold');
    }

    public function historyAction()
    {
        $this->view->pick('OPNsense/Tollgate/history');
    }

    public function statusAction()
    {
        $this->view->pick('OPNsense/Tollgate/status');
    }
}
