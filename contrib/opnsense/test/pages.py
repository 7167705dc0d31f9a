#!/usr/bin/python3

"""
    Copyright (c) 2026 The tollgate authors
    SPDX-License-Identifier: BSD-2-Clause

    Shows the plugin's pages without an OPNsense: Volt is read as Jinja2, the forms are made of their XML, the
    settings are kept in memory by the model's XML. "Apply" renders the policy as OPNsense would and has tollgate
    check it; report, journal, held mail, history and status are asked of tollgate's commands.
"""

import argparse
import base64
import html
import http.server
import json
import os
import re
import subprocess
import sys
import uuid
import xml.etree.ElementTree as ET

import jinja2
import markupsafe

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, '..', 'mail', 'tollgate', 'src')
APP = os.path.join(SOURCE, 'opnsense', 'mvc', 'app')
MODEL = os.path.join(APP, 'models', 'OPNsense', 'Tollgate', 'Tollgate.xml')
ARRAYS = {
    'rule': 'rules.rule', 'list': 'lists.list', 'client': 'clients.client', 'tariff': 'tariffs.tariff',
    'zone': 'dns.zones.zone',
}
PAGES = ['index', 'rules', 'clients', 'report', 'journal', 'hold', 'history', 'status']


def catalogue(language):
    texts = {}
    if language != 'ru':
        return texts
    text = ''
    for line in open(os.path.join(SOURCE, 'share', 'tollgate', 'ru_RU.po'), encoding='utf-8'):
        if line.startswith('msgid '):
            text = json.loads(line[6:])
        elif line.startswith('msgstr '):
            texts[text] = json.loads(line[7:])
    return texts


class Settings:
    """ what config.xml would hold """

    def __init__(self):
        self.items = ET.parse(MODEL).getroot().find('items')
        self.values = {}
        self.rows = {name: {} for name in ARRAYS}

    def fields(self, node=None, path=''):
        for child in self.items if node is None else node:
            at = (path + '.' + child.tag).lstrip('.')
            if child.get('type') == 'ArrayField':
                continue
            if child.get('type'):
                yield at, child
            else:
                yield from self.fields(child, at)

    def array(self, name):
        node = self.items
        for part in ARRAYS[name].split('.'):
            node = node.find(part)
        return list(node)

    def choices(self, field, value):
        kind = field.get('type')
        if kind == 'OptionField':
            return {o.tag: {'value': o.text, 'selected': int(o.tag == value)} for o in field.find('OptionValues')}
        if kind == 'ModelRelationField':
            found = {'': {'value': '', 'selected': int(value == '')}}
            of = next(field.find('Model').iter('items')).text.split('.')[-1]
            for key, row in self.rows[of].items():
                found[key] = {'value': row.get('name', ''), 'selected': int(key == value)}
            return found
        return value

    def get(self):
        answer = {}
        for at, field in self.fields():
            put(answer, at, self.choices(field, self.values.get(at, field.findtext('Default', ''))))
        return {'tollgate': answer}

    def problems(self, field, value):
        if value == '':
            return field.findtext('ValidationMessage', 'required') if field.findtext('Required') == 'Y' else None
        mask = field.findtext('Mask')
        if mask:
            pattern = re.match(r'^/(.*)/u?$', mask)
            if not re.match(pattern.group(1), value):
                return field.findtext('ValidationMessage', 'wrong')
        return None

    def set(self, posted):
        found, values = {}, {}
        for at, field in self.fields():
            value = dig(posted.get('tollgate', {}), at)
            if value is None:
                continue
            problem = self.problems(field, value)
            if problem:
                found['tollgate.' + at] = problem
            values[at] = value
        if found:
            return {'result': 'failed', 'validations': found}
        self.values.update(values)
        return {'result': 'saved'}

    def get_row(self, name, key):
        row = self.rows[name].get(key, {})
        return {name: {f.tag: self.choices(f, row.get(f.tag, f.findtext('Default', ''))) for f in self.array(name)}}

    def set_row(self, name, key, posted):
        row, found = posted.get(name, {}), {}
        for field in self.array(name):
            problem = self.problems(field, row.get(field.tag, ''))
            if problem:
                found[name + '.' + field.tag] = problem
        if found:
            return {'result': 'failed', 'validations': found}
        self.rows[name][key or str(uuid.uuid4())] = row
        return {'result': 'saved'}

    def search(self, name):
        return {'rows': [dict(row, uuid=key) for key, row in self.rows[name].items()]}

    def write(self, path):
        root = ET.Element('opnsense')
        system = ET.SubElement(root, 'system')
        ET.SubElement(system, 'hostname').text, ET.SubElement(system, 'domain').text = 'gw', 'example.org'
        tollgate = ET.SubElement(ET.SubElement(root, 'OPNsense'), 'tollgate')

        def at(where):
            node = tollgate
            for part in where.split('.'):
                found = node.find(part)
                node = ET.SubElement(node, part) if found is None else found
            return node
        for where, field in self.fields():
            at(where).text = self.values.get(where, field.findtext('Default', ''))
        for name, where in ARRAYS.items():
            parent = at(where.rpartition('.')[0])
            for key, row in self.rows[name].items():
                item = ET.SubElement(parent, name, uuid=key)
                for column, value in row.items():
                    ET.SubElement(item, column).text = value
        ET.ElementTree(root).write(path, encoding='utf-8')


def put(tree, at, value):
    *path, last = at.split('.')
    for part in path:
        tree = tree.setdefault(part, {})
    tree[last] = value


def dig(tree, at):
    for part in at.split('.'):
        if not isinstance(tree, dict) or part not in tree:
            return None
        tree = tree[part]
    return tree


class Pages:
    def __init__(self, language):
        self.texts = catalogue(language)
        self.language = language
        self.environment = jinja2.Environment(autoescape=False)

    def _(self, text):
        return self.texts.get(text, text)

    def form(self, name):
        path = os.path.join(APP, 'controllers', 'OPNsense', 'Tollgate', 'forms', name + '.xml')
        return [{c.tag: c.text for c in f} for f in ET.parse(path).getroot().iter('field')]

    def inputs(self, fields):
        out = []
        for f in fields:
            label = html.escape(self._(f.get('label') or ''))
            if f['type'] == 'header':
                out.append('<h3>%s</h3>' % label)
                continue
            name = html.escape(f['id'])
            control = {
                'checkbox': '<input type="checkbox" id="%s">', 'dropdown': '<select id="%s"></select>',
                'textbox': '<textarea id="%s"></textarea>',
            }.get(f['type'], '<input type="text" id="%s">') % name
            out.append('<p><label for="%s">%s</label> %s <span class="problem" data-for="%s"></span>' % (
                name, label, control, name))
            out.append('<small>%s</small></p>' % html.escape(self._(f.get('help') or '')))
        return '\n'.join(out)

    def partial(self, name, values):
        if name.endswith('base_form'):
            return '<form id="%s" onsubmit="return false">%s</form>' % (values['id'], self.inputs(values['fields']))
        if name.endswith('base_apply_button'):
            return '<button type="button" id="reconfigureAct" data-endpoint="%s">%s</button>' \
                '<span id="applied"></span>' % (values['data_endpoint'], self._('Apply'))
        if name.endswith('base_dialog'):
            return '<div id="%s" class="dialog hidden"><h2>%s</h2>%s<button type="button" class="save">%s</button>' \
                '<button type="button" class="cancel">%s</button></div>' % (
                    values['id'], values['label'], self.inputs(values['fields']), self._('Save'), self._('Cancel'))
        columns = ''.join('<th data-column="%s">%s</th>' % (f['id'].split('.')[-1], html.escape(self._(f['label'])))
                          for f in values['fields'] if f['type'] != 'header')
        return '<table id="%s" data-dialog="%s"><thead><tr>%s<th><button type="button" class="add">+</button></th>' \
            '</tr></thead><tbody></tbody></table>' % (values['table_id'], values['edit_dialog_id'], columns)

    def render(self, page):
        volt = open(os.path.join(APP, 'views', 'OPNsense', 'Tollgate', page + '.volt'), encoding='utf-8').read()
        # An array of Volt that has names is a dictionary of Jinja2.
        volt = re.sub(r"\[('\w+': [^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]\)", r"{\1})", volt)
        names = {'lang': self, 'partial': self.partial, 'settingsForm': self.form('settings')}
        for name in ARRAYS:
            which = name.capitalize()
            fields = self.form('dialog' + which)
            names['formDialog' + which] = fields
            names['formGrid' + which] = {
                'table_id': 'grid' + which, 'edit_dialog_id': 'Dialog' + which, 'fields': fields,
            }
        body = self.environment.from_string(volt).render(names)
        menu = ' '.join('<a href="/ui/tollgate/index/%s">%s</a>' % (p, p) for p in PAGES)
        return '<!DOCTYPE html><html lang="%s"><head><meta charset="utf-8"><title>%s</title>' \
            '<style>body{font-family:sans-serif;margin:1em}.hidden{display:none}' \
            'td,th{padding:.2em .6em;text-align:left}' \
            'small{color:#777}.alert{padding:.5em;background:#fe9}.problem{color:#c00}.progress-bar{background:#48c}' \
            'label{display:inline-block;min-width:14em}</style>' \
            '<script src="/jquery.js"></script><script src="/standin.js"></script></head>' \
            '<body><h1>%s</h1><nav>%s</nav>%s</body></html>' % (
                self.language, page, self._('Mail Gateway Filter'), menu, body)


class Handler(http.server.BaseHTTPRequestHandler):
    pages, settings, work, tollgate, jquery = None, None, None, None, None

    def log_message(self, format, *args):
        pass

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header('Content-Type', kind + '; charset=utf-8')
        self.end_headers()
        self.wfile.write(body if isinstance(body, bytes) else body.encode('utf-8'))

    def ask(self, question, values):
        script = os.path.join(SOURCE, 'opnsense', 'scripts', 'OPNsense', 'Tollgate', 'ask.py')
        packed = base64.b64encode(json.dumps(values).encode()).decode()
        done = subprocess.run([sys.executable, script, question, packed], stdout=subprocess.PIPE, check=True,
                              env=dict(os.environ, TOLLGATE=self.tollgate))
        return json.loads(done.stdout)

    def reconfigure(self):
        config = os.path.join(self.work, 'config.xml')
        self.settings.write(config)
        templates = os.path.join(SOURCE, 'opnsense', 'service', 'templates')
        subprocess.run([sys.executable, os.path.join(HERE, 'render.py'), '--config', config, '--out', self.work,
                        '--templates', templates, 'OPNsense/Tollgate'], check=True)
        done = subprocess.run([self.tollgate, 'check', '--json', '--policy',
                               os.path.join(self.work, 'usr/local/etc/tollgate/policy.toml')], stdout=subprocess.PIPE)
        return {'status': 'ok', 'check': json.loads(done.stdout)}

    def api(self, path, posted):
        parts = path.split('?')[0].strip('/').split('/')[2:]
        if parts[:2] == ['service', 'reconfigure']:
            return self.reconfigure()
        if parts[:2] == ['journal', 'story']:
            return self.ask('story', posted)
        if parts[:2] == ['service', 'details']:
            return self.ask('status', {})
        if parts[0] != 'settings':
            questions = {'hold': 'hold-' + ('list' if parts[1] == 'search' else parts[1])}
            return self.ask(questions.get(parts[0], parts[0]), posted)
        if parts[1] in ('get', 'set'):
            return self.settings.get() if parts[1] == 'get' else self.settings.set(posted)
        verb, name = parts[1].split('_')
        key = parts[2] if len(parts) > 2 else ''
        if verb == 'search':
            return self.settings.search(name)
        if verb == 'get':
            return self.settings.get_row(name, key)
        if verb == 'del':
            return {'result': 'deleted' if self.settings.rows[name].pop(key, None) else 'not found'}
        return self.settings.set_row(name, key, posted)

    def do_GET(self):
        if self.path == '/jquery.js':
            self.answer(open(self.jquery, 'rb').read(), 'text/javascript')
        elif self.path == '/standin.js':
            self.answer(open(os.path.join(HERE, 'standin.js'), 'rb').read(), 'text/javascript')
        elif self.path.startswith('/api/'):
            self.answer(json.dumps(self.api(self.path, {})), 'application/json')
        elif self.path.split('/')[-1] in PAGES:
            self.answer(self.pages.render(self.path.split('/')[-1]), 'text/html')
        else:
            self.send_error(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.answer(json.dumps(self.api(self.path, json.loads(body or b'{}'))), 'application/json')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='show the pages of the plugin')
    parser.add_argument('--port', type=int, required=True)
    parser.add_argument('--work', required=True, help='folder to render into')
    parser.add_argument('--tollgate', required=True, help='the command that is asked')
    parser.add_argument('--language', default='en')
    parser.add_argument('--jquery', default='/usr/share/javascript/jquery/jquery.js')
    options = parser.parse_args()
    Handler.pages, Handler.settings = Pages(options.language), Settings()
    Handler.work, Handler.tollgate, Handler.jquery = options.work, options.tollgate, options.jquery
    http.server.ThreadingHTTPServer(('127.0.0.1', options.port), Handler).serve_forever()
