"""Writes public labels of faithfulness as rows for `promptgate calibrate`.

    python3 convert.py qags mturk_cnndm.jsonl
    python3 convert.py q2 dodeca_consistent.csv dodeca_inconsistent.csv memnet_consistent.csv memnet_inconsistent.csv
    python3 convert.py ragtruth response.jsonl source_info.jsonl Data2txt
    python3 convert.py summeval model_annotations.aligned.paired.jsonl

The rows go to standard output. The files come from these repositories on GitHub: W4ngatang/qags (data/),
orhonovich/q-squared (third_party/data/), ParticleMedia/RAGTruth (dataset/; QA, Summary or Data2txt) and
Yale-LILY/SummEval (its README links the annotations; data_processing/pair_data.py adds the articles).
"""

import csv
import json
import pathlib
import sys

# The data sets of summaries have no questions.
SUMMARY = "What does the article say?"


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def qags(path):
    """Three people rated every sentence; a summary is good if a majority accepts each of them."""
    for number, row in enumerate(lines(path)):
        sentences = row["summary_sentences"]
        accepted = [sum(one["response"] == "yes" for one in each["responses"]) for each in sentences]
        yield {
            "id": f"{pathlib.Path(path).stem}-{number}",
            "query": SUMMARY,
            "context": row["article"],
            "response": " ".join(each["sentence"] for each in sentences),
            "human": all(2 * yes > len(each["responses"]) for yes, each in zip(accepted, sentences)),
        }


def q2(*paths):
    """Replies of two dialogue systems; the name of the file has the label."""
    for path in paths:
        system, label = pathlib.Path(path).stem.split("_")
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield {
                    "id": f"q2-{row['episode_idx']}-{row['round']}",
                    "query": row["message"],
                    "context": row["knowledge"],
                    "response": row["response"],
                    "human": label == "consistent",
                    "model": system,
                }


def ragtruth(responses, sources, task):
    """The test part; an answer is good if the annotators marked no span."""
    by_id = {row["source_id"]: row for row in lines(sources)}
    for row in lines(responses):
        source = by_id[row["source_id"]]
        if row["split"] != "test" or row["quality"] != "good" or source["task_type"] != task:
            continue
        info = source["source_info"]
        query, context = {
            "QA": lambda: (info["question"], info["passages"]),
            "Summary": lambda: (SUMMARY, info),
            "Data2txt": lambda: ("What do the data say about this business?", json.dumps(info, ensure_ascii=False)),
        }[task]()
        yield {
            "id": f"ragtruth-{row['source_id']}",
            "query": query,
            "context": context,
            "response": row["response"],
            "human": not row["labels"],
            "model": row["model"],
        }


def summeval(path):
    """A summary is good if most of the three experts rate its consistency 5 of 5."""
    for row in lines(path):
        ratings = [one["consistency"] for one in row["expert_annotations"]]
        yield {
            "id": row["id"],
            "query": SUMMARY,
            "context": row["text"],
            "response": row["decoded"],
            "human": 2 * ratings.count(5) > len(ratings),
            "model": row["model_id"],
        }


def main():
    formats = {"qags": qags, "q2": q2, "ragtruth": ragtruth, "summeval": summeval}
    if len(sys.argv) < 3 or sys.argv[1] not in formats:
        sys.exit(__doc__)
    for row in formats[sys.argv[1]](*sys.argv[2:]):
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
