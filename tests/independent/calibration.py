"""Computes the figures of a calibration again, from judged.jsonl, with scikit-learn and SciPy.

Usage: python3 calibration.py DIR, where DIR holds calibration.json and judged.jsonl of `promptgate calibrate`.
Needs scikit-learn, scipy and krippendorff from PyPI. Exits with 1 where a figure differs by more than 1e-9.
"""

import json
import pathlib
import sys

import krippendorff
import numpy
from scipy import stats
from sklearn import metrics

Z = stats.norm.ppf(0.95)  # every bound is one-sided at 95 %


def wilson(successes, trials):
    interval = stats.binomtest(successes, trials).proportion_ci(confidence_level=0.90, method="wilson")
    return interval.low, interval.high


def kappa_error(human, judge):
    """Fleiss, Cohen and Everitt 1969, from the joint shares."""
    table = metrics.confusion_matrix(human, judge, labels=[0, 1]) / len(human)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    seen, chance = numpy.trace(table), float(rows @ columns)
    kappa = (seen - chance) / (1 - chance)
    total = 0.0
    for i in range(2):
        for j in range(2):
            weight = 1.0 if i == j else 0.0
            mean = rows[j] + columns[i]
            if i == j:
                total += table[i, j] * (weight - mean * (1 - kappa)) ** 2
            else:
                total += table[i, j] * ((1 - kappa) * (columns[i] + rows[j])) ** 2
    total -= (kappa - chance * (1 - kappa)) ** 2
    return (max(total, 0.0) ** 0.5) / ((1 - chance) * len(human) ** 0.5)


def figures(rows):
    human = [int(row["human_passes"]) for row in rows]
    judge = [int(row["judge_passes"]) for row in rows]
    ratings = [row["human"] for row in rows]
    scores = [row["score"] for row in rows]
    (tn, fp), (fn, tp) = metrics.confusion_matrix(human, judge, labels=[0, 1]).tolist()
    found = {
        "answers": len(rows),
        "true_positives": tp,
        "false_positives": fp,
        "false_negatives": fn,
        "true_negatives": tn,
        "prevalence": sum(human) / len(human),
        "judge_passes": sum(judge) / len(judge),
        "accuracy": metrics.accuracy_score(human, judge),
    }
    if len(set(human)) == 2:
        found["sensitivity.mean"] = metrics.recall_score(human, judge)
        found["specificity.mean"] = metrics.recall_score(human, judge, pos_label=0)
        found["balanced_accuracy"] = metrics.balanced_accuracy_score(human, judge)
        found["youden"] = found["sensitivity.mean"] + found["specificity.mean"] - 1
        found["sensitivity.lower"], found["sensitivity.upper"] = wilson(tp, tp + fn)
        found["specificity.lower"], found["specificity.upper"] = wilson(tn, tn + fp)
    if len(set(human) | set(judge)) == 2:
        found["kappa.mean"] = metrics.cohen_kappa_score(human, judge)
        error = kappa_error(human, judge)
        found["kappa_standard_error"] = error
        found["kappa.lower"] = max(found["kappa.mean"] - Z * error, -1)
        found["kappa.upper"] = min(found["kappa.mean"] + Z * error, 1)
    share = (sum(human) + sum(judge)) / (2 * len(human))
    chance = 2 * share * (1 - share)
    found["ac1"] = (found["accuracy"] - chance) / (1 - chance)
    if len(set(ratings)) > 1 and len(set(scores)) > 1:
        found["spearman"] = stats.spearmanr(ratings, scores).statistic
        found["kendall"] = stats.kendalltau(ratings, scores).statistic
    errors = numpy.array(scores) - numpy.array(ratings)
    if len(errors) > 1:
        found["bias.mean"] = errors.mean()
        reach = stats.t.ppf(0.95, len(errors) - 1) * stats.sem(errors)
        found["bias.lower"], found["bias.upper"] = errors.mean() - reach, errors.mean() + reach
    return found


def look_up(document, path):
    for key in path.split("."):
        document = None if document is None else document.get(key)
    return document


def main():
    folder = pathlib.Path(sys.argv[1])
    calibration = json.loads((folder / "calibration.json").read_text())
    rows = [json.loads(line) for line in (folder / "judged.jsonl").read_text().splitlines()]
    rated = [row for row in rows if row["human"] is not None and row["score"] is not None]
    compared, wrong = 0, []

    def compare(name, ours, theirs):
        nonlocal compared
        compared += 1
        if ours is None or abs(ours - theirs) > 1e-9:
            wrong.append(f"{name}: {ours} here, {theirs} there")

    for name, value in figures(rated).items():
        compare(name, look_up(calibration["overall"], name), value)
    for part in calibration["slices"]:
        members = [row for row in rated if part["slice"] in row["slices"]]
        for name, value in figures(members).items():
            compare(f"{part['slice']}: {name}", look_up(part, name), value)
    several = [row["ratings"] for row in rows if len(row["ratings"]) > 1]
    if several:
        width = max(len(ratings) for ratings in several)
        table = [[r[at] if at < len(r) else numpy.nan for r in several] for at in range(width)]
        level = "interval" if calibration["labels"]["graded"] else "nominal"
        alpha = krippendorff.alpha(table, level_of_measurement=level)
        compare("humans.alpha", calibration["humans"]["alpha"], alpha)
    repeated = [row["scores"] for row in rows if len(row["scores"]) > 1 and None not in row["scores"]]
    if repeated and len({score for scores in repeated for score in scores}) > 1:
        alpha = krippendorff.alpha(list(zip(*repeated)), level_of_measurement="interval")
        compare("repeatability.alpha", calibration["repeatability"]["alpha"], alpha)
    unrated = [row["score"] for row in rows if row["human"] is None and row["score"] is not None]
    corrections = calibration["corrections"]
    if unrated and corrections and corrections["answers"] == len(unrated):
        counts = calibration["overall"]
        passed = numpy.mean([score >= 1 for score in unrated])
        compare("corrections.judge_passes", corrections["judge_passes"], passed)
        if corrections["share"]:
            se, sp = counts["sensitivity"]["mean"], counts["specificity"]["mean"]
            share = min(max((passed + sp - 1) / (se + sp - 1), 0), 1)
            compare("corrections.share", corrections["share"]["mean"], share)
        errors = [row["human"] - row["score"] for row in rated]
        mean = numpy.mean(unrated) + numpy.mean(errors)
        reach = Z * (numpy.var(unrated) / len(unrated) + numpy.var(errors) / len(errors)) ** 0.5
        compare("corrections.mean", corrections["mean"]["mean"], mean)
        compare("corrections.mean.lower", corrections["mean"]["lower"], max(mean - reach, 0))
        compare("corrections.mean.upper", corrections["mean"]["upper"], min(mean + reach, 1))
    for line in wrong:
        print(line)
    print(f"{compared - len(wrong)} of {compared} figures are the same")
    sys.exit(1 if wrong or compared < 10 else 0)


if __name__ == "__main__":
    main()
