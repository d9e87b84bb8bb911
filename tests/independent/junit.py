"""Reads a junit.xml with junitparser and holds it against the report.json beside it.

Usage: python3 junit.py DIR, where DIR holds junit.xml and report.json of a run. Needs junitparser from PyPI. Exits with 1
where the two contradict each other.
"""

import json
import pathlib
import re
import sys

from junitparser import Error, Failure, JUnitXml, TestSuite


def main():
    folder = pathlib.Path(sys.argv[1])
    report = json.loads((folder / "report.json").read_text())
    document = JUnitXml.fromfile(str(folder / "junit.xml"))
    suites = [document] if isinstance(document, TestSuite) else list(document)
    wrong = []

    def expect(what, found, wanted):
        if found != wanted:
            wrong.append(f"{what}: {found!r}, not {wanted!r}")

    expect("suites", [suite.name for suite in suites], [report["name"]])
    tests = [test for suite in suites for test in suite]
    places = [(test.classname, test.name) for test in tests]
    expect("tests with a place of their own", len(set(places)), len(tests))
    gate = {name: test for (place, name), test in zip(places, tests) if place.startswith("promptgate.gate.")}
    cases = [test for test in tests if test.classname.startswith("promptgate.case.")]
    expect("criteria", set(gate) - {"run"}, {criterion["id"] for criterion in report["criteria"]})
    expect("cases", len(cases), len(report["cases"]))

    def kinds(test):
        return [type(result) for result in test.result]

    wanted = {"pass": [], "fail": [Failure], "inconclusive": [Failure], "incomplete": [Error]}
    for criterion in report["criteria"]:
        found = kinds(gate[criterion["id"]])
        if criterion["verdict"] == "inconclusive" and report["exit_code"] == 0:
            continue
        expect(f"criterion {criterion['id']}", found, wanted[criterion["verdict"]])
    for case, test in zip(report["cases"], cases):
        # What XML cannot hold, and what a CI runner would take for a command, is written in another way.
        if not re.search("[\ufffe\uffff]|##\\[|^::", case["id"]):
            expect("the name of a case", test.name, case["id"])
        expect(f"failures of case {case['id']}", kinds(test).count(Failure), 0)
        if case["status"] == "missing" and report["verdict"] != "pass":
            expect(f"case {case['id']}", kinds(test), [Error])
    bad = sum(kind in (Failure, Error) for test in tests for kind in kinds(test))
    expect("failures and errors as counted in the file", document.failures + document.errors, bad)
    if report["exit_code"] == 0 and report["verdict"] != "fail":
        expect("failures and errors of a green run", bad, 0)
    if report["exit_code"] != 0:
        expect("whether a red run has a failure or an error", bad > 0, True)
    for text in wrong:
        print(text)
    print(f"junitparser read {len(tests)} tests, {bad} of them bad, {len(wrong)} contradictions")
    sys.exit(1 if wrong or not tests else 0)


if __name__ == "__main__":
    main()
