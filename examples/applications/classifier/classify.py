"""Sorts messages to a shop by topic: naive Bayes over the words of training.csv."""

import csv
import json
import re
import sys
from collections import Counter, defaultdict
from math import log


def words(text):
    return re.findall(r"\w+", text.lower())


class Classifier:
    def __init__(self, rows):
        self.messages = Counter(row["label"] for row in rows)
        self.words = defaultdict(Counter)
        for row in rows:
            self.words[row["label"]].update(words(row["text"]))
        self.vocabulary = set().union(*self.words.values())

    def score(self, label, text):
        seen = self.words[label]
        total = seen.total() + len(self.vocabulary)
        known = [word for word in words(text) if word in self.vocabulary]
        return log(self.messages[label]) + sum(log((1 + seen[word]) / total) for word in known)

    def label(self, text):
        return max(sorted(self.messages), key=lambda label: self.score(label, text))


with open("training.csv", encoding="utf-8", newline="") as file:
    classifier = Classifier(list(csv.DictReader(file)))
# Cases are UTF-8, whatever the locale is.
sys.stdin.reconfigure(encoding="utf-8")
for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"id": case["id"], "output": classifier.label(case["query"])}), flush=True)
