"""Interrupts a run that waits for its first answer.

Usage: interrupt.py WAYS SUITE OUT COMMAND…, where WAYS are `signal`, sent to the command alone, and `terminal`, a Ctrl-C in
its terminal, separated by commas; COMMAND is promptgate as a client installed it. Each run has to exit with 130 and leave
a partial report: a second signal would end it without one.
"""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

PATIENCE = 60


def endpoint():
    """Listens for requests that are never answered. Returns the address and an event that the first one sets."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked = threading.Event()
    open_connections = []

    def accept():
        while True:
            connection, _ = listener.accept()
            open_connections.append(connection)
            if connection.recv(1):
                asked.set()

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/v1", asked


def run(command, suite, out, in_terminal):
    """Starts a run, interrupts it at its first request and returns its exit code."""
    address, asked = endpoint()
    environment = {**os.environ, "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": address}
    arguments = [*command, "run", suite, "--no-cache", "--out", out]
    if not in_terminal:
        process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert asked.wait(PATIENCE), "no request arrived"
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(PATIENCE)
        finally:
            process.kill()
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(arguments[0], arguments, environment)
    drained = threading.Thread(target=drain, args=(terminal,), daemon=True)
    drained.start()
    assert asked.wait(PATIENCE), "no request arrived"
    os.write(terminal, b"\x03")
    drained.join(PATIENCE)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def drain(terminal):
    """Reads what a terminal shows until its programs have ended."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass


def main():
    """Runs the command once for each way."""
    ways, suite, out, *command = sys.argv[1:]
    for name in ways.split(","):
        folder = Path(out, name)
        code = run(command, suite, str(folder), name == "terminal")
        # A shell between npx and the command ends with the signal, which shows as the same code.
        code = 128 - code if code < 0 else code
        assert code == 130, f"{name}: exit code {code}"
        report = json.loads((folder / "report.json").read_text())
        assert report["verdict"] == "incomplete", f"{name}: {report['verdict']}"
        print(f"interrupted by {name}: exit code 130 and a partial report")


main()
