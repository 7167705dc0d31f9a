#!/usr/bin/env python3

"""
    Copyright (c) 2026 The tollgate authors
    SPDX-License-Identifier: BSD-2-Clause

    Renders the templates of the plugin as OPNsense would, without an OPNsense:

        render.py --config config.xml --out FOLDER [--templates FOLDER]... MODULE...

    MODULE is such as OPNsense/Tollgate. A later --templates is laid over an earlier one. What core's engine
    promises to templates and ours use is here: trim_blocks, the extensions "do" and "loopcontrols", an empty
    element is an absent key, a repeated tag is a list, helpers.
"""

import argparse
import glob
import os
import sys
import xml.etree.ElementTree

import jinja2


def tree(element, uuids):
    """
    :param element: element of config.xml
    :param uuids: filled with what has a uuid
    :return: dict, list or text as templates see it
    """
    if len(element) == 0:
        return element.text
    result = {}
    for child in element:
        value = tree(child, uuids)
        if isinstance(value, dict) and 'uuid' in child.attrib:
            uuids[child.attrib['uuid']] = value
        if value is None:
            continue
        if child.tag not in result:
            result[child.tag] = value
        elif isinstance(result[child.tag], list):
            result[child.tag].append(value)
        else:
            result[child.tag] = [result[child.tag], value]
    return result


class Helpers:
    """ what our templates call """
    def __init__(self, config, uuids):
        self._config = config
        self._uuids = uuids

    def getNodeByTag(self, tag):
        node = self._config
        for name in tag.split('.'):
            if not isinstance(node, dict) or name not in node:
                return None
            node = node[name]
        return node

    def exists(self, tag):
        return self.getNodeByTag(tag) is not None

    def empty(self, tag):
        return self.getNodeByTag(tag) in (None, {}, [], '', '0')

    def toList(self, tag):
        node = self.getNodeByTag(tag)
        if node is None:
            return []
        return node if isinstance(node, list) else [node]

    def getUUID(self, uuid):
        return self._uuids.get(uuid, {})


def targets(folders, module):
    """
    :param folders: template folders
    :param module: such as OPNsense/Tollgate
    :return: dict target by name of the template, overlays last
    """
    files = []
    for folder in folders:
        files += glob.glob(os.path.join(folder, module, '+TARGETS'))
    for folder in folders:
        files += sorted(glob.glob(os.path.join(folder, module, '+TARGETS.D', '*.TARGET')))
    result = {}
    for name in files:
        with open(name, encoding='utf-8') as lines:
            for line in lines:
                parts = line.strip().split(':')
                if len(parts) > 1 and not parts[0].startswith('#'):
                    result[parts[0]] = parts[1]
    return result


def render(folders, config_file, modules, out):
    """
    :return: list of the files written
    """
    uuids = {}
    config = tree(xml.etree.ElementTree.parse(config_file).getroot(), uuids) or {}
    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(list(reversed(folders))), trim_blocks=True,
        extensions=['jinja2.ext.do', 'jinja2.ext.loopcontrols']
    )
    engine.globals['helpers'] = Helpers(config, uuids)
    written = []
    for module in modules:
        for template, target in targets(folders, module).items():
            text = engine.get_template('%s/%s' % (module, template)).render(config)
            path = os.path.join(out, target.lstrip('/'))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w', encoding='utf-8', newline='') as file:
                file.write(text if text.endswith('\n') else text + '\n')
            written.append(path)
    return written


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='render the templates of the plugin')
    parser.add_argument('--config', required=True, help='config.xml')
    parser.add_argument('--out', required=True, help='folder that stands for /')
    parser.add_argument('--templates', action='append', required=True, help='folder of templates')
    parser.add_argument('module', nargs='+')
    args = parser.parse_args()
    for path in render(args.templates, args.config, args.module, args.out):
        print(path)
    sys.exit(0)
