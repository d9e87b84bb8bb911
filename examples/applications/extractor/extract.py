"""Reads number, date and total from the text of an invoice, and answers with JSON."""

import json
import re
import sys
from datetime import datetime

CURRENCIES = {"€": "EUR", "EUR": "EUR", "$": "USD", "USD": "USD"}
FORMATS = ["%Y-%m-%d", "%d.%m.%Y", "%d %B %Y"]


def date(text):
    found = re.search(r"\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d{4}|\d\d? [A-Z][a-z]+ \d{4}", text)
    for form in FORMATS if found else []:
        try:
            return datetime.strptime(found[0], form).date().isoformat()
        except ValueError:
            continue
    return None


def number(text):
    """Reads 1,234.50 and 1.234,50 alike: the last separator is the decimal one if one or two digits follow it."""
    whole, separator, rest = re.fullmatch(r"(.*?)(?:([.,])(\d\d?))?", text).groups()
    return float(re.sub(r"[.,]", "", whole) + ("." + rest if separator else ""))


def total(text):
    lines = [line for line in text.splitlines() if re.search(r"\b(total|amount due|gesamt)\b", line, re.I)]
    found = re.search(r"\d[\d.,]*\d|\d", lines[-1]) if lines else None
    sign = re.search(r"€|\$|EUR|USD", lines[-1]) if lines else None
    return {"amount": number(found[0]) if found else None, "currency": CURRENCIES[sign[0]] if sign else None}


def extract(text):
    invoice = re.search(r"\b[A-Z]{1,3}-\d{3,}\b", text)
    return {"invoice": invoice[0] if invoice else None, "date": date(text), "total": total(text)}


# Cases are UTF-8, whatever the locale is.
sys.stdin.reconfigure(encoding="utf-8")
for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"id": case["id"], "output": json.dumps(extract(case["query"]))}), flush=True)
