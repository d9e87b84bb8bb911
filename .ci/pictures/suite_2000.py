"""A suite of 2,000 cases in 12 tags, of which 50 cases of two tags break, and an endpoint that answers it.

Usage: suite_2000.py FOLDER JUDGE_URL. Writes promptgate.yaml, cases and both prompts to FOLDER, prints the address of the
endpoint, and serves until its standard input ends. The simulated judge at JUDGE_URL grades faithfulness.
"""

import http.server
import itertools
import json
import pathlib
import random
import re
import sys
import threading

TAGS = ["battery", "helmet", "range", "shipping", "refund", "warranty", "login", "billing", "repair", "lights", "brakes",
        "recycling"]
CASES = 2000
SEED = 1

rng = random.Random(SEED)
cases, shares = [], []
for number in range(CASES):
    tag = TAGS[number % len(TAGS)]
    share = min(1.0, max(0.3, rng.gauss(0.9, 0.1)))
    text = f"The answer to question {number} on {tag} is {number}."
    cases.append({"id": f"case-{number:04}", "query": f"Question {number} on {tag}?", "context": text, "tags": [tag]})
    shares.append({"baseline": share, "candidate": share})
for number in rng.sample([n for n in range(CASES) if cases[n]["tags"][0] in ("battery", "helmet")], 50):
    shares[number] = {"baseline": 1.0, "candidate": 0.0}

PROMPTS = {
    "baseline": "You answer questions about electric bicycles.\nUse only the passages, and copy their numbers exactly.\n",
    "candidate": "You answer questions about electric bicycles.\nUse the passages, and feel free to round numbers.\n",
}
asked, lock = itertools.count(), threading.Lock()


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Answers a question well with the share of its case."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = "\n".join(message["content"] for message in request["messages"])
        number, tag = re.search(r"Question (\d+) on (\w+)\?", text).groups()
        variant = "candidate" if "feel free" in text else "baseline"
        with lock:
            draw = random.Random(f"{SEED} {next(asked)}").random()
        value = int(number) if draw < shares[int(number)][variant] else int(number) + 7
        answer = f"The answer to question {number} on {tag} is {value}."
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}
        usage = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
        reply = json.dumps({"model": request["model"], "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


folder, judge = pathlib.Path(sys.argv[1]), sys.argv[2]
folder.mkdir(parents=True, exist_ok=True)
(folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
for name, text in PROMPTS.items():
    (folder / f"{name}.md").write_text(text + "\n{{context}}\n")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
(folder / "promptgate.yaml").write_text(f"""version: 1
name: bicycle-support
dataset: cases.jsonl
prompt: candidate.md
baseline: file:baseline.md
model: assistant-large
endpoint: {{base_url: "http://127.0.0.1:{server.server_port}/v1", api_key_env: null}}
judge: {{model: simulated, endpoint: {{base_url: "{judge}", api_key_env: null}}}}
metrics:
  faithfulness: {{min: 0.75}}
gate: {{repeats: 3, max_repeats: 3, max_broken_cases: 10}}
""")
print("ready", flush=True)
sys.stdin.read()
