"""mlflow_server.py FOLDER PORT: runs MLflow's server locally until its standard input is closed.

Its database is in FOLDER. The server starts other processes, which end with it.
"""

import os
import signal
import subprocess
import sys
import threading

folder, port = sys.argv[1:]
environment = {
    **os.environ,
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
server = subprocess.Popen(
    [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    + ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", f"{folder}/artifacts"],
    cwd=folder,
    env=environment,
    stdin=subprocess.DEVNULL,
    start_new_session=True,
)


ending = threading.Event()


def exit_with_server():
    server.wait()
    if not ending.is_set():
        os._exit(1)


threading.Thread(target=exit_with_server, daemon=True).start()
sys.stdin.read()
ending.set()
for number in (signal.SIGTERM, signal.SIGKILL):
    try:
        os.killpg(server.pid, number)
        server.wait(timeout=10)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass
