"""litellm_proxy.py CONFIG PORT: runs LiteLLM's proxy locally until its standard input is closed."""

import os
import sys
import threading

config, port = sys.argv[1:]
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_LOG"] = "ERROR"


def exit_with_parent():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=exit_with_parent, daemon=True).start()
sys.argv = ["litellm", "--config", config, "--host", "127.0.0.1", "--port", port, "--telemetry", "False"]

from litellm import run_server  # noqa: E402

run_server()
