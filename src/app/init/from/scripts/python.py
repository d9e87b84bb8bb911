"""Scores answers by the assertions of python.json, which were written for another tool.

Each is an expression, a body or a file with `get_assert`; it returns true or false, a number that is compared with its
threshold, or a map of pass, score and reason.
"""

import importlib.util
import json
import pathlib
import sys
import textwrap

DATA = json.loads(pathlib.Path(__file__).with_name("python.json").read_text("utf-8"))
MODULES = {}


def variables(case):
    """The variables under the names that the assertions know."""
    found = dict(case.get("vars") or {})
    for name, path in DATA["names"].items():
        value = found.get(path[5:]) if path.startswith("vars.") else case.get(path)
        if value is not None:
            found[name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return found


def loaded(path, name):
    if path not in MODULES:
        sys.path.insert(0, str(pathlib.Path(path).resolve().parent))
        spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        MODULES[path] = module
    return getattr(MODULES[path], name)


def compiled(code):
    body = code if "\n" in code.strip() else f"return {code.strip()}"
    scope = {}
    exec(f"import json\nimport re\ndef main(output, context):\n{textwrap.indent(body, '    ')}\n", scope)
    return scope["main"]


def passes(assertion, text, values):
    output = text
    if assertion.get("json"):
        try:
            output = json.loads(text)
        except ValueError:
            pass
    if "file" in assertion:
        run = loaded(assertion["file"], assertion.get("function", "get_assert"))
    else:
        run = compiled(assertion["code"])
    result = run(output, {"vars": values, "config": {}})
    reason = None
    if isinstance(result, dict):
        reason = result.get("reason")
        result = result["pass"] if "pass" in result else result["pass_"]
    if not isinstance(result, (bool, int, float)):
        raise TypeError(f"expected a truth value, a number or a map with pass, found {result!r}")
    if isinstance(result, bool):
        passed = result
    else:
        threshold = assertion.get("threshold")
        passed = result > 0 if threshold is None else result >= threshold
    return passed != bool(assertion.get("not")), reason


def score(request):
    case, failed = request["case"], []
    for assertion in DATA["every_case"] + DATA["cases"].get(case["id"], []):
        shown = assertion.get("code") or assertion["file"]
        try:
            passed, reason = passes(assertion, request["output"], variables(case))
        except Exception as error:
            passed, reason = False, f"{type(error).__name__}: {error}"
        if not passed:
            failed.append(f"{'not ' if assertion.get('not') else ''}{shown}{f': {reason}' if reason else ''}")
    return {"id": request["id"], "pass": not failed, "reason": "; ".join(failed) or "all assertions hold"}


answers = sys.stdout
sys.stdout = sys.stderr  # what an assertion prints must not look like a score
for line in sys.stdin:
    print(json.dumps(score(json.loads(line))), file=answers, flush=True)
