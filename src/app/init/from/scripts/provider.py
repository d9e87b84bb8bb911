"""Answers cases with a provider that was written for another tool: FILE FUNCTION CONFIG."""

import asyncio
import importlib.util
import inspect
import json
import pathlib
import sys

path, name, config = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
answers = sys.stdout
sys.stdout = sys.stderr  # what the provider prints must not look like an answer
sys.path.insert(0, str(pathlib.Path(path).resolve().parent))
spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
call = getattr(module, name)


def answer(case):
    try:
        result = call(case["query"], {"config": config}, {"vars": case["vars"]})
        if inspect.isawaitable(result):
            result = asyncio.run(result)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    if not isinstance(result, dict):
        result = {"output": result}
    if result.get("error"):
        return {"error": str(result["error"])}
    output = result.get("output", "")
    return {"output": output if isinstance(output, str) else json.dumps(output)}


for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"id": case["id"], "repeat": case["repeat"], **answer(case)}), file=answers, flush=True)
