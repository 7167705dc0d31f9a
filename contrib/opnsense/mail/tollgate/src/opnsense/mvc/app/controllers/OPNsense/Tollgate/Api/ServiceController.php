<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

namespace OPNsense\Tollgate\Api;

use OPNsense\Base\ApiMutableServiceControllerBase;
use OPNsense\Core\Backend;

class ServiceController extends ApiMutableServiceControllerBase
{
    protected static $internalServiceClass = '\OPNsense\Tollgate\Tollgate';
    protected static $internalServiceTemplate = 'OPNsense/Tollgate';
    protected static $internalServiceEnabled = 'general.enabled';
    protected static $internalServiceName = 'tollgate';

    /**
     * a reload keeps every SMTP session; a restart would defer mail
     */
    protected function reconfigureForceRestart()
    {
        return 0;
    }

    /**
     * render, check and reload; Postfix learns of the milter when that changed
     */
    public function reconfigureAction()
    {
        $answer = parent::reconfigureAction();
        if ($this->request->isPost()) {
            $backend = new Backend();
            $answer['check'] = json_decode($backend->configdRun('tollgate check'), true) ?? [];
            $backend->configdpRun('template reload', ['OPNsense/Postfix']);
            $backend->configdRun('tollgate postfix');
        }
        return $answer;
    }

    /**
     * what the rendered policy is told by tollgate itself
     */
    public function checkAction()
    {
        return ['rows' => json_decode((new Backend())->configdRun('tollgate check'), true) ?? []];
    }

    /**
     * everything that "tollgate status" says
     */
    public function detailsAction()
    {
        return json_decode((new Backend())->configdRun('tollgate details'), true) ?? [];
    }
}
