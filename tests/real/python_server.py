"""python_server.py mlflow|phoenix FOLDER PORT OTHER_PORT: runs a server locally until its standard input is closed.

Its database is in FOLDER. The server starts other processes, which end with it.
"""

import os
import signal
import subprocess
import sys
import threading

name, folder, port, other_port = sys.argv[1:]
# Phoenix listens for gRPC on all addresses of the machine, whatever its settings say.
PHOENIX = """
import sys
from grpc.aio._server import Server
listen = Server.add_insecure_port
Server.add_insecure_port = lambda self, address: listen(self, address.replace("[::]", "127.0.0.1"))
sys.argv = ["phoenix", "serve"]
from phoenix.server.main import main
main()
"""
SERVERS = {
    "mlflow": (
        ["-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1"]
        + ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--default-artifact-root", f"{folder}/artifacts"],
        {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
    ),
    "phoenix": (
        ["-c", PHOENIX],
        {
            "PHOENIX_WORKING_DIR": folder,
            "PHOENIX_SQL_DATABASE_URL": f"sqlite:///{folder}/phoenix.db",
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": port,
            "PHOENIX_GRPC_PORT": other_port,
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
            "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
            "PHOENIX_ENABLE_MCP_SERVER": "false",
        },
    ),
}
arguments, variables = SERVERS[name]
server = subprocess.Popen(
    [sys.executable, *arguments],
    cwd=folder,
    env={**os.environ, **variables},
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
