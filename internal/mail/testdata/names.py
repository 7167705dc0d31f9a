"""Print the attachment names and media types that Python's email package finds.

For each file named: one line of JSON with the names that Content-Disposition
and Content-Type give any of its parts, and the media types of all parts.
"""

import email
import email.policy
import email.utils
import json
import sys


def names(part):
    for field, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        found = [part.get_param(parameter, header=field)]
        header = part[field]
        if header is not None:
            found.append(header.params.get(parameter))
        for name in found:
            if isinstance(name, tuple):
                name = email.utils.collapse_rfc2231_value(name)
            if name:
                yield name


for path in sys.argv[1:]:
    with open(path, "rb") as f:
        message = email.message_from_binary_file(f, policy=email.policy.default)
    parts = list(message.walk())
    print(json.dumps({
        "names": [name for part in parts for name in names(part)],
        "types": [part.get_content_type() for part in parts],
    }))
