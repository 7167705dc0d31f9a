#!/usr/local/bin/python3

"""
    Copyright (c) 2026 The tollgate authors
    SPDX-License-Identifier: BSD-2-Clause

    Asks one of tollgate's commands and prints JSON for the pages: {"rows": [...]}, {"text": "..."} or
    {"error": "..."}. What a person typed comes as base64 JSON and becomes one argument "--option=value",
    so that it is neither read by a shell nor taken for an option.
"""

import base64
import json
import os
import re
import subprocess
import sys

TOLLGATE = os.environ.get('TOLLGATE', '/usr/local/sbin/tollgate')
SECONDS = 60
ROWS = 500

OPTIONS = {
    'journal': {
        'recipient': '--recipient', 'sender': '--sender', 'client_ip': '--client-ip', 'ref': '--ref',
        'queue_id': '--queue-id', 'subject': '--subject', 'since': '--since', 'until': '--until',
    },
    'report': {'by': '--by', 'from': '--from', 'to': '--to'},
}
COMMANDS = {
    'journal': ['journal', '--json', '--last=%d' % ROWS],
    'report': ['report', '--json'],
    'hold-list': ['hold', 'list', '--json'],
    'hold-release': ['hold', 'release'],
    'hold-delete': ['hold', 'delete'],
    'history': ['policy', 'log', '--json'],
    'status': ['status'],
    'story': ['journal', 'show'],
}
# tollgate's exit code for "nothing found", which is an answer
NEGATIVE = 1


def arguments(question, values):
    """
    :param question: name of the question
    :param values: what was typed, text by name
    :return: arguments of the command
    """
    if question not in COMMANDS:
        raise ValueError('unknown question')
    result = list(COMMANDS[question])
    for name, option in OPTIONS.get(question, {}).items():
        value = values.get(name)
        if isinstance(value, str) and value.strip() != '':
            result.append('%s=%s' % (option, value.strip().replace('\x00', '')))
    if question in ('hold-release', 'hold-delete'):
        queue_id = values.get('queue_id')
        if not isinstance(queue_id, str) or not re.match(r'^[A-Za-z0-9]{5,32}\Z', queue_id):
            raise ValueError('no queue id')
        result.append(queue_id)
    if question == 'story':
        name = values.get('ref')
        if not isinstance(name, str) or not re.match(r'^[A-Za-z0-9]{5,32}\Z', name):
            raise ValueError('no reference')
        result.append(name)
    return result


def rows(text):
    """
    :param text: one JSON array, or a JSON object a line
    :return: list of rows
    """
    text = text.strip()
    if text == '':
        return []
    if text.startswith('['):
        return json.loads(text)
    found = [json.loads(line) for line in text.splitlines() if line.strip() != '']
    if len(found) == 1 and isinstance(found[0].get('rows'), list):
        return found[0]['rows']
    return found


def ask(question, packed):
    """
    :param question: name of the question
    :param packed: base64 JSON of what was typed
    :return: dict for the page
    """
    values = json.loads(base64.b64decode(packed)) if packed else {}
    if not isinstance(values, dict):
        raise ValueError('values are not named')
    done = subprocess.run(
        [TOLLGATE] + arguments(question, values), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, timeout=SECONDS, check=False
    )
    out = done.stdout.decode('utf-8', 'replace')
    said = done.stderr.decode('utf-8', 'replace').strip()
    if question in ('status', 'story'):
        return {'text': out} if out else {'error': said}
    if done.returncode not in (0, NEGATIVE):
        return {'error': said or 'tollgate ended with %d' % done.returncode}
    if question.startswith('hold-re') or question.startswith('hold-de'):
        return {'error': said} if done.returncode != 0 else {'rows': []}
    return {'rows': rows(out)}


if __name__ == '__main__':
    try:
        answer = ask(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else '')
    except (ValueError, IndexError, OSError, subprocess.TimeoutExpired) as problem:
        answer = {'error': str(problem)}
    print(json.dumps(answer))
