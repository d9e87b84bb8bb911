"""Answers cases with a command that was written for another tool: COMMAND CONFIG.

The command runs once for each case, with the prompt, the options and the context as its last arguments.
"""

import json
import shlex
import subprocess
import sys

command, config = shlex.split(sys.argv[1]), json.loads(sys.argv[2])


def answer(case):
    arguments = [case["query"], json.dumps({"config": config}), json.dumps({"vars": case["vars"]})]
    done = subprocess.run(command + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        return {"error": f"the command ended with {done.returncode}"}
    return {"output": done.stdout.strip()}


for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"id": case["id"], "repeat": case["repeat"], **answer(case)}), flush=True)
