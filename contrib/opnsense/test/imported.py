#!/usr/bin/env python3

"""
    Copyright (c) 2026 The tollgate authors
    SPDX-License-Identifier: BSD-2-Clause

    Imports policies as import.php would, and renders what comes of it:

        imported.py POLICY OUT [POLICY OUT]...

    Each OUT gets plan.json, config.xml and usr/local/etc/tollgate with policy.toml and conf.d/imported.toml. What a
    field of the model does not take is told, and the exit code is 1.
"""

import importlib.util
import json
import os
import re
import sys
import uuid
import xml.etree.ElementTree as ET

import render

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mail', 'tollgate', 'src', 'opnsense')
MODEL = os.path.join(SOURCE, 'mvc', 'app', 'models', 'OPNsense', 'Tollgate', 'Tollgate.xml')
GRIDS = [('list', 'lists'), ('tariff', 'tariffs'), ('rule', 'rules'), ('client', 'clients'), ('zone', 'dns.zones')]


def script(name):
    spec = importlib.util.spec_from_file_location(
        'its', os.path.join(SOURCE, 'scripts', 'OPNsense', 'Tollgate', name + '.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def accepts(field, value):
    """ what the field's type, mask and words ask for """
    if value == '':
        return field.findtext('Required') != 'Y'
    kind = field.get('type')
    if kind == 'OptionField':
        return value in [o.tag for o in field.find('OptionValues')]
    if kind == 'BooleanField':
        return value in ('0', '1')
    if kind == 'DescriptionField':
        return re.match(r'[^\n\r\0\v\f]{1,255}\Z', value) and len(value.encode()) <= 255
    if kind in ('NumericField', 'IntegerField'):
        least, most = field.findtext('MinimumValue', '-inf'), field.findtext('MaximumValue', 'inf')
        return float(least) <= float(value) <= float(most)
    if kind == 'NetworkField':
        return all(re.match(r'[0-9a-f:.]+(/[0-9]+)?\Z', one) for one in value.split(','))
    mask = field.findtext('Mask')
    if mask:
        # PHP's and Python's expressions are the same here but for the end of the text.
        return re.match(re.match(r'/(.*)/u?$', mask.strip()).group(1), value)
    return True


def at(node, path):
    for part in path.split('.'):
        found = node.find(part)
        node = ET.SubElement(node, part) if found is None else found
    return node


def config(plan, path):
    """ config.xml of a plan, on the model's defaults """
    wrong = []
    items = ET.parse(MODEL).getroot().find('items')
    root = ET.Element('opnsense')
    system = ET.SubElement(root, 'system')
    ET.SubElement(system, 'hostname').text, ET.SubElement(system, 'domain').text = 'gw', 'example.org'
    tollgate = at(root, 'OPNsense.tollgate')

    def defaults(node, where):
        for child in node:
            here = (where + '.' + child.tag).lstrip('.')
            if child.get('type') == 'ArrayField':
                continue
            if not child.get('type'):
                defaults(child, here)
                continue
            value = plan['settings'].pop(here, child.findtext('Default', ''))
            if not accepts(child, value):
                wrong.append('%s does not take %r' % (here, value))
            at(tollgate, here).text = value
    defaults(items, '')
    wrong += ['the model has no ' + name for name in plan['settings']]
    named = {}
    for grid, where in GRIDS:
        array = items
        for part in (where + '.' + grid).split('.'):
            array = array.find(part)
        for row in plan['rows'][grid]:
            key = str(uuid.uuid4())
            element = ET.SubElement(at(tollgate, where), grid, uuid=key)
            named[grid, row.get('name')] = key
            for field in array:
                value = row.pop(field.tag, field.findtext('Default', ''))
                if field.get('type') == 'ModelRelationField' and value:
                    value = named[field.tag, value]
                if not accepts(field, value):
                    wrong.append('%s.%s does not take %r' % (grid, field.tag, value))
                ET.SubElement(element, field.tag).text = value
            wrong += ['%s has no %s' % (grid, name) for name in row]
    ET.ElementTree(root).write(path, encoding='utf-8')
    return wrong


def main(words):
    its, failed = script('import'), False
    for policy, out in zip(words[::2], words[1::2]):
        plan = its.divide(policy)
        beside = os.path.join(out, 'usr/local/etc/tollgate/conf.d')
        os.makedirs(beside)
        with open(os.path.join(out, 'plan.json'), 'w', encoding='utf-8') as file:
            json.dump(plan, file)
        if plan['rest']:
            with open(os.path.join(beside, 'imported.toml'), 'w', encoding='utf-8') as file:
                file.write(plan['rest'])
        wrong = config(plan, os.path.join(out, 'config.xml'))
        for text in wrong:
            print('%s: %s' % (policy, text), file=sys.stderr)
        failed = failed or bool(wrong)
        render.render([os.path.join(SOURCE, 'service', 'templates')], os.path.join(out, 'config.xml'),
                      ['OPNsense/Tollgate'], out)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
