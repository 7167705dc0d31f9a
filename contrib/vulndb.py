#!/usr/bin/env python3
# Makes the vulnerability database that govulncheck reads ("-db file://OUT") of the
# reports in the Go module golang.org/x/vulndb: "vulndb.py MODULE OUT". MODULE is the
# folder of that module, as "go mod download -json" names it; its version has a date.
import glob
import json
import os
import re
import sys

source, out = sys.argv[1:]
stamp = re.search(r'@v[0-9.]+-(?:0\.)?(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)-', source)
if not stamp:
    sys.exit('%s: the version of the module has no date' % source)
modified = '%s-%s-%sT%s:%s:%sZ' % stamp.groups()
os.makedirs(os.path.join(out, 'ID'))
os.makedirs(os.path.join(out, 'index'))
modules, reports = {}, []
for name in sorted(glob.glob(os.path.join(source, 'data', 'osv', 'GO-*.json'))):
    with open(name, encoding='utf-8') as file:
        report = json.load(file)
    if report.get('withdrawn'):
        continue
    # The module has no dates of changes: its own stands for them.
    report['modified'] = modified
    reports.append({'id': report['id'], 'modified': report['modified'], 'aliases': report.get('aliases', [])})
    for affected in report.get('affected', []):
        path = affected['package']['name']
        vulns = modules.setdefault(path, {})
        vulns[report['id']] = {'id': report['id'], 'modified': report['modified']}
    with open(os.path.join(out, 'ID', report['id'] + '.json'), 'w', encoding='utf-8') as file:
        json.dump(report, file)
if not reports:
    sys.exit('%s has no reports' % source)
for name, value in (
        ('db', {'modified': modified}),
        ('vulns', reports),
        ('modules', [{'path': p, 'vulns': list(v.values())} for p, v in sorted(modules.items())])):
    with open(os.path.join(out, 'index', name + '.json'), 'w', encoding='utf-8') as file:
        json.dump(value, file)
print('%d reports, as of %s' % (len(reports), modified))
