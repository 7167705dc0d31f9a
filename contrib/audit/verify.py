#!/usr/bin/env python3
"""Verifies archives of closed periods, by docs/accounting.md alone.

    verify.py CLOSES.jsonl TARIFFS ARCHIVE.jsonl ...

CLOSES.jsonl has a seal a line (closes.jsonl of the state folder), TARIFFS the
terms of tariffs a line (tariffs of the state folder), each archive a header and
the records of one period. Prints each client's sums, and exits with 1 when
something does not agree.
"""
import hashlib
import json
import sys
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
PARTS = 104857600  # of a millionth


def minutes(schedule):
    """The minutes of the week that a schedule holds."""
    week = set()
    for entry in schedule.split(";"):
        days, ranges = entry.split(None, 1)
        for one in days.split(","):
            first, _, last = one.partition("-")
            day = DAYS.index(first)
            end = DAYS.index(last or first)
            while True:
                for span in ranges.split(","):
                    begin, until = ((int(t[:2]) * 60 + int(t[3:5])) for t in span.strip().split("-"))
                    if until <= begin:
                        until += 24 * 60
                    week.update((day * 1440 + m) % 10080 for m in range(begin, until))
                if day == end:
                    break
                day = (day + 1) % 7
    return week


def load(path):
    with open(path, "rb") as f:
        return [json.loads(line) for line in f if line.strip()]


def main(closes, tariffs, archives):
    problems = []
    seals = {}
    before = ""
    for number, seal in enumerate(load(closes), 1):
        if seal["number"] != number or seal["before"] != before:
            problems.append(f"{seal['period']}: the chain of seals is broken")
        seals[seal["period"]], before = seal, seal["hash"]
    terms = {}
    with open(tariffs, "rb") as f:
        for line in f:
            line = line.rstrip(b"\n")
            version = hashlib.sha256(line).hexdigest()[:16]
            terms[version] = json.loads(line)
            terms[version]["weeks"] = [minutes(b["when"]) for b in terms[version]["bands"]]
    for path in archives:
        with open(path, "rb") as f:
            lines = f.readlines()
        header = json.loads(lines[0])
        period = header["period"]
        seal = seals.get(period)
        if seal is None:
            problems.append(f"{path}: no seal of {period}")
            continue
        if header != {name: seal[name] for name in ("period", "number", "before")}:
            problems.append(f"{path}: its header is not the seal's")
        if hashlib.sha256(b"".join(lines)).hexdigest() != seal["hash"] or len(lines) - 1 != seal["records"]:
            problems.append(f"{path}: hash or number of records is not the seal's")
        records = [json.loads(line) for line in lines[1:]]
        if any(r["period"] != period for r in records):
            problems.append(f"{path}: a record of another period")
        if records != sorted(records, key=lambda r: (r["client"].encode(), r["id"].encode())):
            problems.append(f"{path}: not in order")
        for client in sorted({r["client"] for r in records}):
            check(client, period, [r for r in records if r["client"] == client], terms, problems)
    for p in problems:
        print(p)
    return 1 if problems else 0


def check(client, period, records, terms, problems):
    usage = {r["id"]: r for r in records if r["kind"] == "usage"}
    cost, money = Fraction(0), {"payment": 0, "adjust": 0, "fee": 0}
    deliveries = included = 0
    for r in records:
        if r["kind"] in money:
            money[r["kind"]] += int(r["amount"])
            continue
        if r.get("effect") == "none":
            continue
        amount, sign = Fraction(r.get("amount", "0")), 1
        if r["kind"] == "void":
            sign = -1
            was = usage.get(r["voids"])
            if was is not None and Fraction(was.get("amount", "0")) != amount:
                problems.append(f"{client}, {period}: {r['id']} takes back another amount")
        elif "tariff_version" in r:
            t = terms[r["tariff_version"]]
            at = datetime.fromisoformat(r["time"].replace("Z", "+00:00")).astimezone(ZoneInfo(t["timezone"]))
            minute = at.weekday() * 1440 + at.hour * 60 + at.minute
            percent = next((b["percent"] for b, week in zip(t["bands"], t["weeks"]) if minute in week), 100)
            priced = -(-r["charged"] // t["increment"]) * t["increment"]
            want = Fraction(priced - r.get("included", 0)) * t["per_mib"] / 2**20
            if not r.get("included_delivery"):
                want += t["per_delivery"]
            if priced != r.get("priced", 0) or want * percent / 100 != amount:
                problems.append(f"{client}, {period}: {r['id']} costs {float(want * percent / 100)}, not {r['amount']}")
        cost += sign * amount
        deliveries += sign
        included += sign * r.get("included", 0)
    whole = cost.numerator // cost.denominator
    print(client, period, deliveries, included, whole, int((cost - whole) * PARTS), money["payment"], money["adjust"], money["fee"])


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
