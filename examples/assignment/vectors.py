"""Compares assign.py with the vectors in the file that is named."""

import json
import sys

from assign import bucket, version

with open(sys.argv[1], encoding="utf-8") as file:
    vectors = json.load(file)
rows = vectors["bucket"] + vectors["assign"]
for row in rows:
    assert bucket(row["salt"], row["unit"]) == row["bucket"], row
for row in vectors["assign"]:
    entry = {**row, "control": "control", "treatment": "treatment"}
    assert version(entry, row["unit"]) == row["variant"], row
print(f"{len(rows)} vectors agree")
