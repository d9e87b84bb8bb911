"""Computes the figures of a calibration again with scikit-learn and SciPy.

Usage: python3 calibration.py LABELS DIR, where LABELS is the file of labels (JSONL, ratings in `human`, slices by tag or
else by model) and DIR holds calibration.json and judged.jsonl of `promptgate calibrate`. Ratings, verdicts and slices
are read from LABELS; only the judge's scores come from judged.jsonl. Needs scikit-learn, scipy and krippendorff from
PyPI. Exits with 1 where a figure differs by more than 1e-9, or where one of the file was not compared.
"""

import json
import pathlib
import sys

import krippendorff
import numpy
from scipy import stats
from sklearn import metrics

Z = stats.norm.ppf(0.95)  # every bound is one-sided at 95 %


def exact(successes, trials):
    """Clopper and Pearson 1934, each bound one-sided."""
    interval = stats.binomtest(successes, trials).proportion_ci(confidence_level=0.90, method="exact")
    return interval.low, interval.high


def kappa_at(sensitivity, specificity, good, bad):
    total = good + bad
    passed = sensitivity * good + (1 - specificity) * bad
    agreement = (sensitivity * good + specificity * bad) / total
    chance = (good * passed + bad * (total - passed)) / total**2
    return (agreement - chance) / (1 - chance)


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


def cut_off(human, scores):
    best = None
    for line in sorted(set(scores), reverse=True):
        judge = [int(score >= line) for score in scores]
        balanced = metrics.balanced_accuracy_score(human, judge)
        if best is None or balanced > best[1] + 1e-12:
            kappa = metrics.cohen_kappa_score(human, judge) if len(set(judge)) == 2 else 0.0
            best = (line, balanced, kappa)
    return best if best[1] > 0.5 + 1e-12 else None


def figures(rows, graded):
    human = [int(row["passes"]) for row in rows]
    scores = [row["score"] for row in rows]
    judge = [int(score >= 1) for score in scores]
    ratings = [row["human"] for row in rows]
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
    if 1 in human:
        found["sensitivity.mean"] = tp / (tp + fn)
        found["sensitivity.lower"], found["sensitivity.upper"] = exact(tp, tp + fn)
    if 0 in human:
        found["specificity.mean"] = tn / (tn + fp)
        found["specificity.lower"], found["specificity.upper"] = exact(tn, tn + fp)
    both = len(set(human)) == 2
    if both:
        found["balanced_accuracy.mean"] = metrics.balanced_accuracy_score(human, judge)
        found["youden"] = 2 * found["balanced_accuracy.mean"] - 1
        good = numpy.mean([score for score, passed in zip(scores, human) if passed])
        found["slope"] = good - numpy.mean([score for score, passed in zip(scores, human) if not passed])
        for side in ("lower", "upper"):
            shares = found[f"sensitivity.{side}"], found[f"specificity.{side}"]
            found[f"balanced_accuracy.{side}"] = sum(shares) / 2
            if len(set(human) | set(judge)) == 2:
                found[f"kappa.{side}"] = kappa_at(*shares, tp + fn, tn + fp)
        best = cut_off(human, scores)
        if best:
            found["cut_off.score"], found["cut_off.balanced_accuracy"], found["cut_off.kappa"] = best
    if len(set(human) | set(judge)) == 2:
        found["kappa.mean"] = metrics.cohen_kappa_score(human, judge)
        found["kappa_standard_error"] = kappa_error(human, judge)
    share = (sum(human) + sum(judge)) / (2 * len(human))
    chance = 2 * share * (1 - share)
    found["ac1"] = (found["accuracy"] - chance) / (1 - chance)
    if len(set(ratings)) > 1 and len(set(scores)) > 1:
        found["spearman"] = stats.spearmanr(ratings, scores).statistic
        found["kendall"] = stats.kendalltau(ratings, scores).statistic
    pairs = zip(scores, ratings) if graded else zip(judge, human)
    errors = numpy.array([ours - theirs for ours, theirs in pairs], dtype=float)
    if len(errors) > 1:
        found["bias.mean"] = errors.mean()
        reach = stats.t.ppf(0.95, len(errors) - 1) * stats.sem(errors)
        found["bias.lower"], found["bias.upper"] = errors.mean() - reach, errors.mean() + reach
    return found


def lang_reiczigel(passed, answers, tp, positives, tn, negatives):
    """The bounds of Lang and Reiczigel 2014, each one-sided."""
    se, sp = (tp + 1) / (positives + 2), (tn + 1) / (negatives + 2)
    share = (answers * passed + Z**2 / 2) / (answers + Z**2)
    j = se + sp - 1
    centre = (share + sp - 1) / j
    noise_se, noise_sp = se * (1 - se) / (positives + 2), sp * (1 - sp) / (negatives + 2)
    shift = 2 * Z**2 * (centre * noise_se - (1 - centre) * noise_sp)
    variance = share * (1 - share) / (answers + Z**2) + centre**2 * noise_se + (1 - centre) ** 2 * noise_sp
    reach = Z * variance**0.5 / j
    return min(max(centre + shift - reach, 0), 1), min(max(centre + shift + reach, 0), 1)


def read(path, pass_at):
    """The answers of the labels: rows with a rater are merged, the majority of the ratings counts."""
    answers, known = [], {}
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    tagged = any(row.get("tags") for row in rows)
    for row in rows:
        key = json.dumps([row.get("query"), row.get("context"), row["response"]])
        index = known.get(key) if row.get("rater") is not None else None
        if index is None:
            slices = row.get("tags", []) if tagged else [row["model"]] if "model" in row else []
            answers.append({"ratings": [], "slices": slices})
            index = len(answers) - 1
        if row.get("rater") is not None:
            known[key] = index
        if row.get("human") is not None:
            answers[index]["ratings"].append(float(row["human"]))
    for answer in answers:
        ratings = answer["ratings"]
        answer["human"] = sum(ratings) / len(ratings) if ratings else None
        answer["passes"] = 2 * sum(rating >= pass_at for rating in ratings) > len(ratings)
    return answers


def leaves(value, path=""):
    """The paths of all numbers in a document."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}" if path else key)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path


def look_up(document, path):
    for key in path.split("."):
        document = None if document is None else document.get(key)
    return document


def main():
    labels, folder = map(pathlib.Path, sys.argv[1:3])
    calibration = json.loads((folder / "calibration.json").read_text())
    judged = [json.loads(line) for line in (folder / "judged.jsonl").read_text().splitlines()]
    rows = read(labels, calibration["labels"]["pass_at"])
    wrong, compared = [], 0
    if len(rows) != len(judged):
        sys.exit(f"{len(rows)} answers in the labels, {len(judged)} judged")
    for row, one in zip(rows, judged):
        row["score"], row["scores"] = one["score"], one["scores"]
    graded = any(rating not in (0, 1) for row in rows for rating in row["ratings"])
    rated = [row for row in rows if row["ratings"] and row["score"] is not None]

    def compare(place, document, found):
        nonlocal compared
        for name, value in found.items():
            compared += 1
            ours = look_up(document, name)
            # Written so that a value that is no number is a difference.
            if ours is None or not abs(ours - value) <= 1e-9:
                wrong.append(f"{place}{name}: {ours} in the file, {value} here")
        for name in set(leaves(document)) - set(found):
            wrong.append(f"{place}{name}: {look_up(document, name)} in the file, not computed here")

    compare("", calibration["overall"], figures(rated, graded))
    names = sorted({name for row in rated for name in row["slices"]})
    parts = {part.pop("slice"): part for part in calibration["slices"]}
    for name in names:
        members = [row for row in rated if name in row["slices"]]
        if len(members) > 1:
            compare(f"{name}: ", parts.pop(name, {}), figures(members, graded))
    wrong.extend(f"a slice {name} that has no answers" for name in parts)
    of_labels = {
        "answers": len(rows),
        "rated": sum(bool(row["ratings"]) for row in rows),
        "missing": sum(row["score"] is None for row in rows),
        "pass_at": calibration["labels"]["pass_at"],
    }
    compare("labels.", {k: v for k, v in calibration["labels"].items() if k in of_labels}, of_labels)
    several = [row["ratings"] for row in rows if len(row["ratings"]) > 1]
    found = {}
    if several:
        width = max(map(len, several))
        table = [[r[at] if at < len(r) else numpy.nan for r in several] for at in range(width)]
        found["answers"] = len(several)
        if len({rating for ratings in several for rating in ratings}) > 1:
            level = "interval" if graded else "nominal"
            found["alpha"] = krippendorff.alpha(table, level_of_measurement=level)
    compare("humans.", calibration["humans"] or {}, found)
    repeated = [row["scores"] for row in rows if len(row["scores"]) > 1]
    found = {}
    if repeated:
        whole = [scores for scores in repeated if None not in scores]
        verdicts = [{None if score is None else score >= 1 for score in scores} for scores in repeated]
        found = {
            "answers": len(repeated),
            "repeats": max(map(len, repeated)),
            "same_verdict": sum(len(kinds) == 1 and None not in kinds for kinds in verdicts) / len(repeated),
        }
        if len({score for scores in whole for score in scores}) > 1:
            found["alpha"] = krippendorff.alpha(list(zip(*whole)), level_of_measurement="interval")
    compare("repeatability.", calibration["repeatability"] or {}, found)
    unrated = [row["score"] for row in rows if not row["ratings"] and row["score"] is not None]
    found = {}
    if unrated:
        counts = figures(rated, graded)
        tp, tn = counts["true_positives"], counts["true_negatives"]
        positives, negatives = tp + counts["false_negatives"], tn + counts["false_positives"]
        passed = numpy.mean([score >= 1 for score in unrated])
        found = {"answers": len(unrated), "judge_passes": passed}
        if min(positives, negatives) >= 20 and counts["youden"] >= 0.2:
            se, sp = tp / positives, tn / negatives
            found["share.mean"] = min(max((passed + sp - 1) / (se + sp - 1), 0), 1)
            bounds = lang_reiczigel(passed, len(unrated), tp, positives, tn, negatives)
            found["share.lower"], found["share.upper"] = bounds
        if len(rated) >= 50:
            errors = [row["human"] - row["score"] for row in rated]
            mean = numpy.mean(unrated) + numpy.mean(errors)
            reach = Z * (numpy.var(unrated) / len(unrated) + numpy.var(errors) / len(errors)) ** 0.5
            found["mean.mean"] = min(max(mean, 0), 1)
            found["mean.lower"], found["mean.upper"] = max(mean - reach, 0), min(mean + reach, 1)
    compare("corrections.", calibration["corrections"] or {}, found)
    for text in wrong:
        print(text)
    print(f"{compared} figures compared, {len(wrong)} differ")
    sys.exit(1 if wrong or compared < 40 else 0)


if __name__ == "__main__":
    main()
