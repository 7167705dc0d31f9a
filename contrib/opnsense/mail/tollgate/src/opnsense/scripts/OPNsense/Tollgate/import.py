#!/usr/local/bin/python3

"""
    Copyright (c) 2026 The tollgate authors
    SPDX-License-Identifier: BSD-2-Clause

    Divides an existing policy among the pages and conf.d:

        import.py FILE

    prints one JSON object: "settings" (value by path in the model), "rows" (of the grids, by grid; a list or a
    tariff is named by its name), "rest" (the text of a file for conf.d, with all that the pages cannot say),
    "notes" (what a person has to know), "files" (what the policy was read from). What is read is what tollgate
    itself reads ("tollgate policy export").

    Rules of a stage are tried in the order of the file, and the pages' come before conf.d's: so behind the first
    rule of a stage that the pages cannot say, all further ones of that stage go to conf.d.
"""

import argparse
import json
import os
import re
import subprocess
import sys

TOLLGATE = os.environ.get('TOLLGATE', '/usr/local/sbin/tollgate')

# attributes that the rules grid knows; those whose values are no texts apart
FIELDS = {
    'client_ip', 'client_host', 'client_resolve', 'dnsbl', 'helo', 'direction', 'sender', 'sender_domain',
    'sender_mx', 'sender_dnsbl', 'spf', 'declared_size', 'auth_user', 'recipient', 'recipient_domain',
    'recipient_client', 'recipient_count', 'subject', 'author', 'author_domain', 'author_name', 'header_ip', 'dkim',
    'dmarc', 'size', 'attachment_name', 'attachment_type', 'virus', 'mime_defects',
}
FLAGS = {'tls', 'authenticated', 'correspondent'}
LISTABLE = {
    'client_ip', 'client_host', 'helo', 'sender', 'sender_domain', 'recipient', 'recipient_domain', 'header',
    'header_ip', 'author', 'author_domain',
}
RULE = {
    'name', 'stage', 'match', 'weight', 'action', 'reply', 'tag_subject', 'tag_header', 'shadow', 'enabled', 'comment',
}
# places that the plugin has for these
PLACES = {
    'gateway': {
        'listen': ['unix:/var/run/tollgate/milter.sock'], 'state_dir': '/var/db/tollgate',
        'postfix_config': '/usr/local/etc/postfix',
    },
    'journal': {'dir': '/var/log/tollgate'},
}
SPAM = '550 5.7.1 Refused as unsolicited mail (weight {weight})'
UNITS = {'b': 1, 'kib': 1 << 10, 'mib': 1 << 20, 'gib': 1 << 30, 'tib': 1 << 40}


class Unfit(Exception):
    """ the pages cannot say this, with the reason """


def text(value, pattern=None, most=255):
    """
    :param value: of the policy
    :param pattern: that the field of the model asks for
    :return: what the field holds
    """
    if not isinstance(value, str):
        raise Unfit('not a text')
    if re.search(r'[\x00-\x1f\x7f]', value) or value != value.strip() or value == '':
        raise Unfit('empty, or with blanks at its ends or control characters in it')
    if len(value.encode('utf-8')) > most or pattern and not re.match(r'(?:%s)\Z' % pattern, value):
        raise Unfit('a text that its field does not take')
    return value


def lines(value, one=text):
    """ an array of texts as lines of a field; a single text may stand for it """
    values = value if isinstance(value, list) else [value]
    if not values:
        raise Unfit('an empty array')
    return '\n'.join(one(v) for v in values)


def number(value, least=-1000, most=1000):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise Unfit('not a number that its field takes')
    return repr(value)


def flag(value):
    if not isinstance(value, bool):
        raise Unfit('neither true nor false')
    return '1' if value else '0'


def mebibytes(value, least, most):
    """ a size that is a whole number of MiB, as that """
    octets = value
    if isinstance(value, str):
        parts = re.match(r'([0-9]+)(?:\.0+)? *([A-Za-z]+)\Z', value.strip())
        if not parts or parts.group(2).lower() not in UNITS:
            raise Unfit('not a size in MiB')
        octets = int(parts.group(1)) * UNITS[parts.group(2).lower()]
    if isinstance(octets, bool) or not isinstance(octets, int) or octets % (1 << 20) \
            or not least <= octets >> 20 <= most:
        raise Unfit('not a size in MiB that its field takes')
    return str(octets >> 20)


def networks(value):
    values = value if isinstance(value, list) else [value]
    return ','.join(text(v, r'[0-9a-f:.]+(?:/[0-9]{1,3})?') for v in values)


def one_of(value, names):
    if value not in names:
        raise Unfit('another word than its field has')
    return value


class Import:
    """ takes out of the policy what the pages can say; what stays is the rest """

    def __init__(self, whole):
        self.policy = whole['policy']
        self.settings = {}
        self.rows = {'rule': [], 'list': [], 'tariff': [], 'client': [], 'zone': []}
        self.notes = []
        self.clients_file = whole.get('clients')

    def section(self, name):
        found = self.policy.get(name)
        return found if isinstance(found, dict) else {}

    def take(self, section, key, path, convert):
        """ one key to one field, where it fits """
        table = self.section(section)
        if key not in table:
            return
        try:
            self.settings[path] = convert(table[key])
            del table[key]
        except Unfit as why:
            self.notes.append('[%s] %s: %s, so it is in conf.d' % (section, key, why))

    def places(self):
        for section, keys in PLACES.items():
            for key, ours in keys.items():
                theirs = self.section(section).pop(key, ours)
                if theirs not in (ours, [ours], ours[0]):
                    self.notes.append('[%s] %s was %s; the plugin has %s' % (
                        section, key, json.dumps(theirs, ensure_ascii=False), json.dumps(ours)))
                    if key == 'state_dir':
                        self.notes.append('usage records and the history stay in %s: stop tollgate and move what '
                                          'is in it before the plugin is enabled' % theirs)

    def general(self):
        name = self.section('gateway').get('name')
        if name is not None:
            self.take('gateway', 'name', 'node.name', lambda v: text(v, r'[A-Za-z0-9._-]+'))
        self.take('gateway', 'on_error', 'general.on_error', lambda v: one_of(v, ('tempfail', 'accept')))
        self.settings['general.report_header'] = 'X-Tollgate'
        self.take('gateway', 'report_header', 'general.report_header',
                  lambda v: '' if v == '' else text(v, r'[A-Za-z][A-Za-z0-9-]{0,60}'))
        self.take('gateway', 'skip_clients', 'general.skip_clients', networks)
        for key in ('confine', 'read_paths'):
            value = self.section('gateway').pop(key, None)
            if value not in (None, 'off', []):
                self.notes.append('[gateway] %s was %s; FreeBSD has no Landlock, so the daemon gives up nothing' % (
                    key, json.dumps(value, ensure_ascii=False)))
        self.settings['general.authenticated'] = '0'
        self.take('outbound', 'networks', 'general.networks', networks)
        self.take('outbound', 'authenticated', 'general.authenticated', flag)

    def recipients(self):
        recipients = self.section('recipients')
        self.settings['recipients.mode'] = recipients.pop('mode', 'known')
        if self.settings['recipients.mode'] == 'domains' and 'domains' in recipients:
            self.take('recipients', 'domains', 'recipients.domains', lambda v: ','.join(
                text(one, r'\.?[^\s,@"\\]{1,253}') for one in (v if isinstance(v, list) else [v])))
        self.settings['recipients.delimiter'] = ''
        self.take('recipients', 'delimiter', 'recipients.delimiter', lambda v: text(v, '[+_=-]'))
        self.take('journal', 'syslog', 'journal.syslog', lambda v: {'': '0', 'mail': '1'}[one_of(v, ('', 'mail'))])
        trace = self.section('journal').get('trace')
        if isinstance(trace, dict):
            for kind in ('protocol', 'rules'):
                if kind in trace:
                    self.settings['journal.trace_' + kind] = flag(trace.pop(kind))
            if not trace:
                del self.policy['journal']['trace']
        self.take('accounting', 'share', 'accounting.share', lambda v: one_of(v, ('full', 'split')))
        self.take('accounting', 'timezone', 'accounting.timezone', lambda v: text(v, r'[A-Za-z0-9_+/-]{1,60}'))
        self.take('accounting', 'outbound', 'accounting.outbound', flag)

    def antivirus(self):
        table = self.section('antivirus')
        if 'clamd' not in table:
            return
        try:
            clamd = text(table['clamd'], r'unix:/[^\s"\\]{1,100}|tcp:[A-Za-z0-9.:\[\]-]{1,100}')
            if table.get('action') == 'tag' and table.get('tag_subject') != '[VIRUS]':
                raise Unfit('it tags otherwise than the pages would')
        except Unfit as why:
            self.notes.append('[antivirus]: %s, so it is in conf.d as a whole' % why)
            return
        self.settings.update({'antivirus.enabled': '1', 'antivirus.clamd': clamd})
        del table['clamd']
        if table.get('action') == 'tag':
            del table['tag_subject']
        self.take('antivirus', 'action', 'antivirus.action',
                  lambda v: one_of(v, ('reject', 'discard', 'hold', 'tag')))
        self.take('antivirus', 'on_error', 'antivirus.on_error', lambda v: one_of(v, ('tempfail', 'accept')))
        self.take('antivirus', 'max_size', 'antivirus.max_size', lambda v: mebibytes(v, 1, 500))
        self.take('antivirus', 'oversize', 'antivirus.oversize',
                  lambda v: one_of(v, ('accept', 'tempfail', 'reject')))

    def modules(self):
        for module in list(self.policy.get('module', [])):
            if module.get('name') == 'rspamd' and module.get('type') == 'rspamd' and \
                    set(module) <= {'name', 'type', 'url', 'factor'}:
                try:
                    url = text(module.get('url'), r'https?://[A-Za-z0-9.\[\]:-]+(?:/[A-Za-z0-9./_-]*)?')
                    factor = number(module.get('factor', 1), -100, 100)
                except Unfit:
                    continue
                self.settings.update({'modules.rspamd': '1', 'modules.rspamd_url': url,
                                      'modules.rspamd_factor': factor})
                self.policy['module'].remove(module)

    def thresholds(self):
        """ the first that marks and the one that refuses behind it, where they are as the pages write them """
        all = self.policy.get('threshold', [])
        try:
            if all and set(all[0]) <= {'above', 'tag_subject', 'tag_header'} and \
                    all[0].get('tag_header') == 'X-Spam-Flag: YES':
                subject = text(all[0]['tag_subject'], '.{0,60}') if 'tag_subject' in all[0] else ''
                self.settings.update({'tagging.tag_above': number(all[0]['above']), 'tagging.tag_subject': subject})
                all.pop(0)
            if all and set(all[0]) == {'above', 'action', 'reply'} and \
                    (all[0]['action'], all[0]['reply']) == ('reject', SPAM):
                self.settings['tagging.reject_above'] = number(all[0]['above'])
                all.pop(0)
        except Unfit:
            pass

    def lists(self):
        lists = self.section('lists')
        for name in list(lists):
            if not isinstance(lists[name], list):
                continue  # a file, or of a type
            try:
                self.rows['list'].append({
                    'name': text(name, '[a-z0-9][a-z0-9_-]{0,60}'), 'entries': lines(lists[name]),
                })
                del lists[name]
            except Unfit as why:
                self.notes.append('list %s: %s, so it is in conf.d' % (name, why))

    def rule(self, rule):
        """ a rule as a row of the grid """
        unknown = sorted(set(rule) - RULE)
        if unknown:
            raise Unfit('the pages have no ' + ', '.join(unknown))
        match = rule.get('match')
        if not isinstance(match, dict) or len(match) != 1:
            raise Unfit('it looks at more than one thing, or at none')
        (field, value), = match.items()
        row = {
            'enabled': flag(rule.get('enabled', True)), 'name': text(rule['name'], '[a-z0-9][a-z0-9._-]{0,60}'),
            'stage': rule['stage'], 'action': rule.get('action', 'continue'),
            'shadow': flag(rule.get('shadow', False)),
        }
        if field == 'header':
            if not isinstance(value, dict) or len(value) != 1:
                raise Unfit('it looks at several header fields')
            (header, value), = value.items()
            row['header'] = text(header, '[A-Za-z0-9-]{1,60}')
        row['field'] = field
        if field in FLAGS:
            row['pattern'] = 'true' if flag(value) == '1' else 'false'
        elif field in FIELDS or field == 'header':
            if isinstance(value, list) and len(value) == 1:
                raise Unfit('an array of one')
            row['pattern'] = lines(value, lambda v: text(v, most=1000))
            listed = [r['name'] for r in self.rows['list'] if row['pattern'] == 'list:' + r['name']]
            if listed and field in LISTABLE:
                row.update({'pattern': '', 'list': listed[0]})
            if len(row['pattern']) > 10000:
                raise Unfit('more patterns than a field takes')
        else:
            raise Unfit('the pages do not look at ' + field)
        if 'weight' in rule:
            row['weight'] = number(rule['weight'])
        if 'reply' in rule:
            row['reply'] = text(rule['reply'])
        if 'tag_subject' in rule:
            row['tag_subject'] = text(rule['tag_subject'], '.{0,60}')
        if 'tag_header' in rule:
            if isinstance(rule['tag_header'], list) and len(rule['tag_header']) == 1:
                raise Unfit('an array of one')
            row['tag_header'] = lines(rule['tag_header'])
        if 'comment' in rule:
            row['note'] = text(rule['comment'])
        return row

    def rules(self):
        stays = {}  # the first rule of a stage that the pages cannot say
        rest = []
        for rule in self.policy.get('rule', []):
            stage = rule.get('stage')
            if stage in stays:
                self.notes.append('rule %s: in conf.d, since %s stands before it' % (rule['name'], stays[stage]))
                rest.append(rule)
                continue
            try:
                self.rows['rule'].append(self.rule(rule))
            except Unfit as why:
                self.notes.append('rule %s: in conf.d: %s' % (rule['name'], why))
                stays[stage] = rule['name']
                rest.append(rule)
        self.policy['rule'] = rest

    def tariff(self, tariff):
        unknown = sorted(set(tariff) - {'name', 'currency', 'per_mib', 'per_delivery', 'included', 'fee', 'period'})
        if unknown:
            raise Unfit('the pages have no ' + ', '.join(unknown))
        money = '[0-9]{1,9}(?:[.][0-9]{1,6})?'
        row = {
            'name': text(tariff['name'], '[A-Za-z0-9][A-Za-z0-9._-]{0,60}'),
            'currency': text(tariff['currency'], '[A-Z]{3}'),
            'period': one_of(tariff.get('period', 'month'), ('day', 'week', 'month')),
        }
        for key in ('per_mib', 'per_delivery', 'fee'):
            if key in tariff:
                row[key] = text(tariff[key], money)
        if 'included' in tariff:
            row['included'] = mebibytes(tariff['included'], 1, 1000000000)
        return row

    def client(self, client):
        unknown = sorted(set(client) - {
            'id', 'name', 'addresses', 'logins', 'networks', 'disabled', 'expires', 'schedule', 'filter', 'tariff',
        })
        if unknown:
            raise Unfit('the pages have no ' + ', '.join(unknown))
        row = {
            'id': text(client['id'], '[a-z0-9.-][a-z0-9._-]{0,60}'),
            'enabled': '0' if client.get('disabled', False) else '1', 'filter': flag(client.get('filter', True)),
        }
        if 'name' in client:
            row['name'] = text(client['name'])
        for key in ('addresses', 'logins'):
            if key in client:
                row[key] = lines(client[key])
        if 'networks' in client:
            row['networks'] = networks(client['networks'])
        if not any(row.get(key) for key in ('addresses', 'logins', 'networks')):
            raise Unfit('it has no addresses, logins or networks')
        if 'expires' in client:
            row['expires'] = text(client['expires'], '[0-9]{4}-[0-9]{2}-[0-9]{2}')
        if 'schedule' in client:
            row['schedule'] = text(client['schedule'], '[A-Za-z0-9:;, -]{0,200}')
        if 'tariff' in client:
            row['tariff'] = client['tariff']
            if row['tariff'] not in [r['name'] for r in self.rows['tariff']]:
                raise Unfit('its tariff is in conf.d')
        return row

    def clients(self):
        """ tariffs and clients, those of the file of [clients] too: what is left of it goes to conf.d """
        more = self.clients_file or {}
        if self.clients_file is not None:
            self.notes.append('%s is read no more: its clients are on the pages, or in conf.d'
                              % self.policy['clients'].pop('file'))
        rest = []
        for tariff in self.policy.get('tariff', []) + more.get('tariff', []):
            try:
                self.rows['tariff'].append(self.tariff(tariff))
            except Unfit as why:
                self.notes.append('tariff %s: in conf.d: %s' % (tariff['name'], why))
                rest.append(tariff)
        self.policy['tariff'] = rest
        rest, patterns = [], None  # of patterns the first that matches stands
        for client in self.policy.get('client', []) + more.get('client', []):
            addresses = client.get('addresses', [])
            has = any(str(a).startswith('/') for a in (addresses if isinstance(addresses, list) else [addresses]))
            try:
                if has and patterns is not None:
                    raise Unfit('its patterns stand behind those of %s' % patterns)
                self.rows['client'].append(self.client(client))
            except Unfit as why:
                self.notes.append('client %s: in conf.d: %s' % (client['id'], why))
                rest.append(client)
                if has and patterns is None:
                    patterns = client['id']
        self.policy['client'] = rest

    def divide(self):
        self.places()
        self.general()
        self.recipients()
        self.antivirus()
        self.modules()
        self.thresholds()
        self.lists()
        self.rules()
        self.clients()


def key(name):
    return name if re.match(r'[A-Za-z0-9_-]+\Z', name) else basic(name)


def basic(value):
    """ a TOML basic string """
    return '"%s"' % re.sub(r'["\\\x00-\x1f\x7f]', lambda m: {
        '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r',
    }.get(m.group(), '\\u%04X' % ord(m.group())), value)


def toml(value, name=''):
    """ a value as TOML """
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, str):
        # JSON has no dates
        return value if name in ('valid_from', 'expires') else basic(value)
    if isinstance(value, list):
        return '[%s]' % ', '.join(toml(v, name) for v in value)
    if isinstance(value, dict):
        return '{ %s }' % ', '.join('%s = %s' % (key(k), toml(v, k)) for k, v in value.items()) if value else '{}'
    return repr(value)


def document(policy, heading):
    """ what is left of a policy, as a file """
    out = ['# ' + line for line in heading]
    for section, value in policy.items():
        if not value:
            continue
        for table in value if isinstance(value, list) else [value]:
            out += ['', ('[[%s]]' if isinstance(value, list) else '[%s]') % key(section)]
            out += ['%s = %s' % (key(k), toml(v, k)) for k, v in table.items()]
    return '\n'.join(out) + '\n'


def divide(path):
    """
    :param path: of a policy
    :return: dict as printed
    """
    done = subprocess.run([TOLLGATE, 'policy', 'export', path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.decode('utf-8', 'replace').strip())
    whole = json.loads(done.stdout.decode('utf-8'))
    it = Import(whole)
    it.divide()
    left = {name: value for name, value in it.policy.items() if value and name != 'include'}
    heading = ['What the pages cannot say of ' + re.sub(r'[\x00-\x1f\x7f]', '?', os.path.abspath(path)) + '.',
               'The plugin never writes this file again.']
    return {
        'settings': it.settings, 'rows': it.rows, 'notes': it.notes, 'files': whole['files'],
        'rest': document(left, heading) if left else '',
    }


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='divide a policy among the pages and conf.d')
    parser.add_argument('file', help='the policy')
    try:
        answer = divide(parser.parse_args().file)
    except (ValueError, OSError) as problem:
        answer = {'error': str(problem)}
    print(json.dumps(answer))
    sys.exit(1 if 'error' in answer else 0)
