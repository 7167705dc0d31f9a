<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

namespace OPNsense\Tollgate\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\Core\Backend;

/**
 * Questions to tollgate's commands. What a person typed travels as one argument of base64 JSON, and the
 * script that takes it apart gives each value to its own option: it is never part of a command line.
 */
abstract class QueryControllerBase extends ApiControllerBase
{
    protected function ask($question, array $values)
    {
        $packed = base64_encode(json_encode(array_filter($values, function ($value) {
            return is_string($value) && $value !== '';
        }), JSON_FORCE_OBJECT | JSON_INVALID_UTF8_SUBSTITUTE));
        $answer = json_decode((new Backend())->configdpRun('tollgate ask', [$question, $packed]), true);
        return is_array($answer) ? $answer : ['error' => gettext('tollgate does not answer.')];
    }

    protected function posted(array $names)
    {
        $values = [];
        foreach ($names as $name) {
            $values[$name] = (string)$this->request->getPost($name, null, '');
        }
        return $values;
    }
}
