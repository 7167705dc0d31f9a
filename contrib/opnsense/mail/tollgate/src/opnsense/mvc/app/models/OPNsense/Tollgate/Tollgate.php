<?php

/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

namespace OPNsense\Tollgate;

use OPNsense\Base\BaseModel;
use OPNsense\Base\Messages\Message;

class Tollgate extends BaseModel
{
    /* the stages in the order in which mail passes them */
    private const STAGES = ['connect', 'helo', 'mailfrom', 'rcptto', 'headers', 'complete'];

    /* the first stage at which a field is known */
    private const KNOWN_FROM = [
        'client_ip' => 'connect', 'client_host' => 'connect', 'client_resolve' => 'connect', 'dnsbl' => 'connect',
        'helo' => 'helo',
        'tls' => 'mailfrom', 'authenticated' => 'mailfrom', 'auth_user' => 'mailfrom', 'direction' => 'mailfrom',
        'sender' => 'mailfrom', 'sender_domain' => 'mailfrom', 'sender_mx' => 'mailfrom', 'spf' => 'mailfrom',
        'sender_dnsbl' => 'mailfrom', 'declared_size' => 'mailfrom',
        'recipient' => 'rcptto', 'recipient_domain' => 'rcptto', 'recipient_client' => 'rcptto',
        'recipient_count' => 'rcptto', 'correspondent' => 'rcptto',
        'subject' => 'headers', 'author' => 'headers', 'author_domain' => 'headers', 'author_name' => 'headers',
        'header' => 'headers', 'header_ip' => 'headers',
        'dkim' => 'complete', 'dmarc' => 'complete', 'size' => 'complete', 'attachment_name' => 'complete',
        'attachment_type' => 'complete', 'virus' => 'complete', 'mime_defects' => 'complete',
    ];

    /* what lists of addresses and names can answer for */
    private const LISTABLE = [
        'client_ip', 'client_host', 'helo', 'sender', 'sender_domain', 'recipient', 'recipient_domain', 'header',
        'header_ip', 'author', 'author_domain',
    ];

    /* what is true or false */
    private const FLAGS = ['tls', 'authenticated', 'correspondent'];

    /* where files are that the plugin never writes */
    protected $beside = '/usr/local/etc/tollgate/conf.d';

    /**
     * {@inheritdoc}
     */
    public function performValidation($validateFullModel = false)
    {
        $messages = parent::performValidation($validateFullModel);
        foreach ($this->rules->rule->iterateItems() as $rule) {
            if ($validateFullModel || $rule->isFieldChanged()) {
                foreach ($this->ruleProblems($rule) as $field => $text) {
                    $messages->appendMessage(new Message($text, $rule->__reference . '.' . $field));
                }
            }
        }
        foreach ($this->clients->client->iterateItems() as $client) {
            $has = (string)$client->addresses . (string)$client->logins . (string)$client->networks;
            if (($validateFullModel || $client->isFieldChanged()) && trim($has) == '') {
                $messages->appendMessage(new Message(
                    gettext('A client has addresses, logins or networks.'),
                    $client->__reference . '.addresses'
                ));
            }
        }
        if (
            (string)$this->general->enabled == '1' && (string)$this->recipients->mode == 'domains' &&
            (string)$this->recipients->domains == '' && !$this->domainsBeside()
        ) {
            $messages->appendMessage(new Message(
                gettext('Without a local domain all mail would be refused.'),
                'recipients.domains'
            ));
        }
        return $messages;
    }

    /**
     * whether a file of conf.d says which domains are local; what else it says, tollgate checks
     */
    private function domainsBeside()
    {
        foreach (glob($this->beside . '/*.toml') ?: [] as $file) {
            if (preg_match('/^\s*(recipients\s*\.\s*)?domains(_file)?\s*=/m', (string)@file_get_contents($file))) {
                return true;
            }
        }
        return false;
    }

    /**
     * what the policy would refuse, told where it was typed; the pattern itself is checked by tollgate
     * @return array text by name of the field
     */
    private function ruleProblems($rule)
    {
        $found = [];
        $field = (string)$rule->field;
        $stage = array_search((string)$rule->stage, self::STAGES, true);
        $first = array_search(self::KNOWN_FROM[$field] ?? 'connect', self::STAGES, true);
        if ($stage !== false && $first !== false && $stage < $first) {
            $found['stage'] = gettext('What the rule looks at is not known yet at this stage.');
        }
        if ($field == 'header' && (string)$rule->header == '') {
            $found['header'] = gettext('Name the header field.');
        }
        $flag = in_array($field, self::FLAGS, true);
        if ($flag && !in_array(trim((string)$rule->pattern), ['true', 'false'], true)) {
            $found['pattern'] = gettext('This is true or false.');
        } elseif ((string)$rule->pattern == '' && (string)$rule->list == '') {
            $found['pattern'] = gettext('Enter a pattern or choose a list.');
        } elseif ((string)$rule->pattern != '' && (string)$rule->list != '') {
            $found['list'] = gettext('Either a pattern or a list.');
        } elseif ((string)$rule->list != '' && !in_array($field, self::LISTABLE, true)) {
            $found['list'] = gettext('Lists hold addresses and names; this field is text.');
        }
        $action = (string)$rule->action;
        if ($action == 'greylist' && (string)$rule->stage != 'rcptto') {
            $found['action'] = gettext('Greylisting is decided at each recipient.');
        } elseif (in_array($action, ['discard', 'hold'], true) && (string)$rule->stage == 'rcptto') {
            $found['action'] = gettext('A single recipient cannot be discarded or held.');
        }
        if ((string)$rule->reply != '') {
            $code = substr((string)$rule->reply, 0, 1);
            if (!in_array($action, ['reject', 'tempfail'], true)) {
                $found['reply'] = gettext('Only what refuses or defers has a reply.');
            } elseif ($code != ($action == 'reject' ? '5' : '4')) {
                $found['reply'] = gettext('A refusal begins with 5, a deferral with 4.');
            }
        }
        return $found;
    }
}
