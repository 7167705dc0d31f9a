"""Signs and verifies messages with dkimpy, for the tests of this package.

Reads one JSON object a line and answers each with one. dkimpy asks the DNS by
its own means; only the server is ours. What it says becomes a result of
RFC 8601 section 2.7.1.
"""

import base64
import json
import logging
import sys

import dkim
import dns.resolver


class Said(logging.Handler):
    """Keeps what dkimpy logs instead of raising it."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def asks(server):
    """Makes dkimpy ask server, given as address:port."""
    host, port = server.rsplit(":", 1)
    resolver = dns.resolver.Resolver(configure=False)
    # Twice: before it asks the same one again dnspython waits.
    resolver.nameservers = [host, host]
    resolver.port = int(port)
    dns.resolver.default_resolver = resolver


def judge(signer, index, said):
    """Tells the result and the reason of one signature."""
    said.lines.clear()
    try:
        good = signer.verify(index)
    except dkim.ValidationError as e:
        # The body is looked at last: everything else is wrong for good.
        return ("fail" if "body hash mismatch" in str(e) else "permerror"), str(e)
    except dkim.DKIMException as e:
        return "permerror", str(e)
    except Exception as e:
        # What dkimpy does not expect itself.
        return "crash", repr(e)
    if good:
        return "pass", ""
    text = "; ".join(said.lines)
    if not text:
        return "fail", "signature did not verify"
    return ("temperror" if "DnsTimeoutError" in text else "permerror"), text


def verify(request, said):
    asks(request["server"])
    logger = logging.getLogger("judge")
    signer = dkim.DKIM(base64.b64decode(request["message"]), logger=logger, timeout=request["timeout"])
    count = sum(1 for name, _ in signer.headers if name.lower() == b"dkim-signature")
    results = []
    for index in range(count):
        result, reason = judge(signer, index, said)
        results.append({"result": result, "reason": reason})
    return {"signatures": results}


def sign(request):
    def octets(name):
        return request[name].encode() if request.get(name) else None

    header, body = request["canonical"].encode().split(b"/")
    fields = request.get("fields")
    field = dkim.DKIM(base64.b64decode(request["message"])).sign(
        octets("selector"), octets("domain"), octets("key"),
        signature_algorithm=octets("algorithm"), identity=octets("identity"),
        canonicalize=(header, body), length=request.get("length", False),
        include_headers=[f.encode() for f in fields] if fields else None)
    return {"field": base64.b64encode(field).decode()}


def main():
    said = Said()
    logger = logging.getLogger("judge")
    logger.addHandler(said)
    logger.propagate = False
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = sign(request) if "key" in request else verify(request, said)
        except dkim.DKIMException as e:
            answer = {"error": str(e)}
        print(json.dumps(answer), flush=True)


main()
