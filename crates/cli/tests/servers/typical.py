"""A BITS server with typical mistakes, for docs/CONFORMANCE-CASES.md. Run it as: typical.py FOLDER"""

import os
import re
import sys
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROTOCOL = "{7df0354d-249b-430f-820d-3d2a9bef4931}"


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def path_of_file(self):
        return os.path.join(sys.argv[1], os.path.basename(self.path))

    def do_BITS_POST(self):
        packet = self.headers.get("BITS-Packet-Type", "").lower()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = {"BITS-Packet-Type": "Ack", "Content-Length": "0"}
        if packet == "create-session":
            fields["BITS-Protocol"] = PROTOCOL
            fields["BITS-Session-Id"] = "{%s}" % uuid.uuid4()
        elif packet != "ping":
            fields["BITS-Session-Id"] = self.headers["BITS-Session-Id"]
        if packet == "fragment":
            first, last, total = re.findall(r"\d+", self.headers["Content-Range"])
            with open(self.path_of_file(), "ab") as file:
                file.write(body)
            fields["BITS-Received-Content-Range"] = str(int(last) + 1)
        self.respond(200, fields)

    def do_GET(self):
        try:
            with open(self.path_of_file(), "rb") as file:
                body = file.read()
        except OSError:
            return self.respond(404, {"Content-Length": "0"})
        self.respond(200, {"Content-Length": str(len(body))}, body)

    def respond(self, status, fields, body=b""):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
