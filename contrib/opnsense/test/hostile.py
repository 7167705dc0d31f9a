#!/usr/bin/env python3

"""
    Copyright (c) 2026 The tollgate authors
    SPDX-License-Identifier: BSD-2-Clause

    Puts hostile texts into each field of the model, as a restored config.xml could have them, past the checks of the
    pages, and renders it: what comes out must be TOML, with no key, section or line that the text wanted there, and
    nothing of it evaluated. Prints how many were tried; exit code 1 with what went wrong.
"""

import os
import sys
import tomllib
import xml.etree.ElementTree as ET

import jinja2

import imported
import render

TEXTS = [
    '"\npwned = true\n[pwned]\n#', "'\npwned = true\n", '"""\npwned = 1', '\\', '\\"', '\\"\npwned = 1\n',
    '"]\npwned = 1\nx = ["', 'x" }\npwned = 1\n', '{{ 7*191 }}', '{% set x = 1 %}{{ 7*191 }}', '{# ', '#}',
    '\r\npwned = 1', '\x7f', '\t', '100%', 'привет "мир"', '\u202e\u2028pwned = 1', '$(touch /tmp/pwned)`id`',
    '"; touch /tmp/pwned; "', '-1-1-1', 'inf-inf-inf', '9' * 400, 'nan', 'inf', '1e999', '[[pwned]]', ' ', '\n\n',
    'a,b"\n,pwned = 1', '&quot;', ']]>', '../../../etc/passwd', '0x10', '1_000', '٣', '²',
]

RC = ['tollgate_enable="YES"', 'tollgate_enable="NO"'] + [
    'tollgate_flags="--log-level %s"' % level for level in ('debug', 'info', 'warn', 'error')]


def sample():
    """ a config.xml with a row in each grid and everything switched on, and its model """
    items = ET.parse(imported.MODEL).getroot().find('items')
    root = ET.Element('opnsense')
    system = ET.SubElement(root, 'system')
    ET.SubElement(system, 'hostname').text = 'gw'
    tollgate = imported.at(root, 'OPNsense.tollgate')
    usual = {
        'rule.name': 'r', 'rule.pattern': 'x', 'rule.action': 'reject', 'rule.header': 'X-A', 'list.name': 'l',
        'list.entries': 'a@example.org', 'tariff.name': 't', 'tariff.currency': 'EUR', 'client.id': 'c',
        'client.addresses': 'a@example.org', 'zone.zone': 'bl.example', 'recipients.domains': 'example.org',
    }
    fields = []

    def walk(node, parent, path):
        for child in node:
            here = (path + '.' + child.tag).lstrip('.')
            element = ET.SubElement(parent, child.tag)
            if child.get('type') == 'ArrayField':
                element.set('uuid', 'u-' + child.tag)
                walk(child, element, child.tag)
            elif child.get('type'):
                value = usual.get(here, child.findtext('Default', ''))
                element.text = '1' if child.get('type') == 'BooleanField' else value
                fields.append((here, element))
            else:
                walk(child, element, here)
    walk(items, tollgate, '')
    return root, fields


def keys(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def main():
    root, fields = sample()
    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(os.path.join(imported.SOURCE, 'service', 'templates')), trim_blocks=True,
        extensions=['jinja2.ext.do', 'jinja2.ext.loopcontrols'])
    policy = engine.get_template('OPNsense/Tollgate/policy.toml')
    rc = engine.get_template('OPNsense/Tollgate/rc.conf.d')
    wrong, tried = [], 0
    for path, element in fields:
        for text in TEXTS:
            was, element.text = element.text, text
            tried, uuids = tried + 1, {}
            config = render.tree(root, uuids)
            element.text = was
            engine.globals['helpers'] = render.Helpers(config, uuids)
            policy.globals.update(engine.globals)
            rc.globals.update(engine.globals)
            try:
                written = policy.render(config)
                values = tomllib.loads(written)
            except Exception as problem:  # whatever it is, it is told
                wrong.append('%s = %r: %s' % (path, text, problem))
                continue
            if 'pwned' in keys(values) or '1337' in written:
                wrong.append('%s = %r: it is obeyed' % (path, text))
            for line in rc.render(config).split('\n'):
                if line.strip() and not line.startswith('#') and line not in RC:
                    wrong.append('%s = %r: in rc.conf.d: %s' % (path, text, line))
    print('%d texts in %d fields' % (len(TEXTS), len(fields)))
    for problem in wrong:
        print(problem, file=sys.stderr)
    return 1 if wrong or tried < 1000 else 0


if __name__ == '__main__':
    sys.exit(main())
