"""Compares GrowthBook's SDK for Python with the vectors in the file that is named; prints what it compared as JSON."""

import importlib.metadata
import json
import sys

from growthbook import Experiment, GrowthBook
from growthbook.core import gbhash

with open(sys.argv[1], encoding="utf-8") as file:
    vectors = json.load(file)

different = []
rows = vectors["bucket"] + vectors["assign"]
for row in rows:
    if round(gbhash(row["salt"], row["unit"], 2) * 10_000) != row["bucket"]:
        different.append(row)
for row in vectors["assign"]:
    share = row["basis_points"] / 10_000
    experiment = Experiment(
        key="rollout",
        variations=["treatment", "control"],
        ranges=[(0.0, share), (share, 1.0)],
        hashVersion=2,
        seed=row["salt"],
    )
    result = GrowthBook(attributes={"id": row["unit"]}).run(experiment)
    if result.value != row["variant"]:
        different.append(row)
version = importlib.metadata.version("growthbook")
print(json.dumps({"sdk": f"growthbook {version}", "buckets": len(rows), "different": different}))
