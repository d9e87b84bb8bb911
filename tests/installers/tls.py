"""An HTTPS server that refuses every key: its response shows that a client trusts its certificate.

Usage: tls.py CERTIFICATE KEY. Prints its address and serves until it is ended.
"""

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Refusal(BaseHTTPRequestHandler):
    """Answers 401."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(401)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:])
server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(f"https://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
