"""A registry of npm with the packages in a folder, on a free port of this machine.

Usage: registry.py FOLDER. Prints its address and serves until it is ended.
"""

import base64
import hashlib
import json
import sys
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

packages = {}
for path in sorted(Path(sys.argv[1]).glob("*.tgz")):
    with tarfile.open(path) as tar:
        manifest = json.load(tar.extractfile("package/package.json"))
    packages[manifest["name"]] = (path, manifest)


class Registry(BaseHTTPRequestHandler):
    """Answers with the description of a package or its file."""

    def do_GET(self):
        name = self.path.strip("/")
        file = packages.get(name.removesuffix(".tgz"))
        if file is None:
            self.send_error(404)
            return
        path, manifest = file
        data = path.read_bytes()
        if not name.endswith(".tgz"):
            integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
            dist = {"tarball": f"{address}/{name}.tgz", "integrity": integrity}
            version = manifest["version"]
            versions = {version: {**manifest, "dist": dist}}
            data = json.dumps({"name": name, "dist-tags": {"latest": version}, "versions": versions}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
address = f"http://127.0.0.1:{server.server_port}"
print(address, flush=True)
server.serve_forever()
