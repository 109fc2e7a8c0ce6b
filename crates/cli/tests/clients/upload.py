#!/usr/bin/env python3
"""Uploads a file with the BITS Upload Protocol, in fragments, over one connection.

    upload.py URL FILE FRAGMENT_SIZE

Each fragment begins at the offset that the server acknowledged. The program prints the responses.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

PROTOCOL = "{7df0354d-249b-430f-820d-3d2a9bef4931}"


class Client:
    def __init__(self, url):
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        self.target = parts.path

    def send(self, packet_type, fields=(), body=b""):
        """Sends a packet and returns the Ack."""
        connection = self.connection
        connection.putrequest("BITS_POST", self.target, skip_accept_encoding=True)
        connection.putheader("BITS-Packet-Type", packet_type)
        for name, value in fields:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        response.read()
        offset = response.getheader("BITS-Received-Content-Range", "-")
        print(packet_type, response.status, offset)
        if response.getheader("BITS-Packet-Type") != "Ack":
            sys.exit("the response is not an Ack")
        return response

    def send_successfully(self, *packet):
        response = self.send(*packet)
        if response.status != 200:
            sys.exit(f"{response.status} {response.getheader('BITS-Error')}")
        return response


def upload(url, path, fragment_size):
    client = Client(url)
    client.send_successfully("Ping")
    created = client.send_successfully("Create-Session", [("BITS-Supported-Protocols", PROTOCOL)])
    session = ("BITS-Session-Id", created.getheader("BITS-Session-Id"))
    total = os.path.getsize(path)
    offset = 0
    with open(path, "rb") as file:
        while offset < total:
            file.seek(offset)
            body = file.read(fragment_size)
            last = offset + len(body) - 1
            content_range = ("Content-Range", f"bytes {offset}-{last}/{total}")
            ack = client.send_successfully("Fragment", [session, content_range], body)
            offset = int(ack.getheader("BITS-Received-Content-Range"))
    client.send_successfully("Close-Session", [session])


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    upload(sys.argv[1], sys.argv[2], int(sys.argv[3]))
