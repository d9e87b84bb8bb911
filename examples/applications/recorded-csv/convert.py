"""Converts an export of the help desk to the lines that promptgate reads: python3 convert.py <export.csv >answers.jsonl"""

import csv
import json
import sys

for row in csv.DictReader(sys.stdin):
    answer = {"id": row["ticket"], "latency_ms": 1000 * float(row["seconds"])}
    # A failure is a fault for promptgate, never an empty answer.
    answer |= {"error": row["error"]} if row["error"] else {"output": row["reply"], "contexts": row["articles"].split(" | ")}
    print(json.dumps(answer))
