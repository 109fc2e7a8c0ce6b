#!/usr/bin/env python3
"""Measures one `bits serve` with many uploads in progress, over loopback.

    benches/growth.py [--uploads 1000,10000] [--seconds 10] [--folder DIR] [--bits PROGRAM]

Each upload has a connection of its own and sends 1 KiB a second, in fragments of 32 KiB with a pause of 3 s after each.
Meanwhile another client sends Pings.

Prints lines `growth UPLOADS PING_MS_MEDIAN PING_MS_P99 RSS_KIB_PER_UPLOAD` and `growth-cpu UPLOADS CORES`, and a line
`ratio NAME VALUE LIMIT ok|over` that compares the median with that of an idle server. Fails if the limit is exceeded,
or if an upload fails. Each upload needs two files of the server, and one of this script.
"""

import argparse
import contextlib
import heapq
import multiprocessing
import re
import resource
import socket
import statistics
import sys
import time

import programs

FRAGMENT = 32 * 1024
PIECE = 1024
# Seconds between two pieces, and between two fragments.
INTERVAL = 1.0
PAUSE = 3.0
# Fragments of one upload, more than it sends.
FRAGMENTS = 1000

# Maximum median time of a Ping, relative to that with an idle server.
LIMIT = 2.0

PROTOCOL = "{7df0354d-249b-430f-820d-3d2a9bef4931}"


def packet(path, kind, length, *fields):
    lines = [f"BITS_POST {path} HTTP/1.1", "Host: localhost", f"BITS-Packet-Type: {kind}"]
    return "\r\n".join([*lines, f"Content-Length: {length}", *fields, "", ""]).encode()


def response(connection):
    """Receives the head of a response without a body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        received = connection.recv(4096)
        if not received:
            raise SystemExit("the server closed a connection")
        head += received
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"an upload fails: {head.decode()}")
    return head.decode()


class Upload:
    def __init__(self, address, number):
        self.path = f"/upload-{number}"
        self.connection = socket.create_connection(address)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.sendall(packet(self.path, "Create-Session", 0, f"BITS-Supported-Protocols: {PROTOCOL}"))
        self.session = re.search(r"(?i)BITS-Session-Id: (\S+)", response(self.connection))[1]
        self.sent = 0
        # The end of the current fragment. The first ones differ, so that not all uploads pause at once.
        self.end = 0
        self.first_end = (number % (FRAGMENT // PIECE) + 1) * PIECE

    def step(self):
        """Sends one piece. Returns the seconds until the next one."""
        if self.sent == self.end:
            if self.sent > 0:
                response(self.connection)
            self.end = self.end + FRAGMENT if self.end else self.first_end
            session = f"BITS-Session-Id: {self.session}"
            content_range = f"Content-Range: bytes {self.sent}-{self.end - 1}/{FRAGMENTS * FRAGMENT}"
            self.connection.sendall(packet(self.path, "Fragment", self.end - self.sent, session, content_range))
        elif self.has_response():
            raise SystemExit(f"an upload fails: {response(self.connection)}")
        self.connection.sendall(bytes(PIECE))
        self.sent += PIECE
        return PAUSE if self.sent == self.end else INTERVAL

    def has_response(self):
        try:
            self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        return True


def load(address, counts, ready):
    """Adds uploads until there are as many as the latest count, and keeps them in progress."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    count, uploads, due = 0, [], []
    while True:
        if counts.poll(None if count == 0 else 0):
            count = counts.recv()
        if len(uploads) < count:
            upload = Upload(address, len(uploads))
            uploads.append(upload)
            heapq.heappush(due, (time.monotonic() + INTERVAL * len(uploads) / count, len(uploads) - 1))
            if len(uploads) == count:
                ready.send(count)
        while due and due[0][0] <= time.monotonic():
            at, number = due[0]
            heapq.heapreplace(due, (at + uploads[number].step(), number))
        if len(uploads) == count:
            time.sleep(0.001)


def pings(address, seconds):
    """Returns the times of Pings in milliseconds."""
    times, ping = [], packet("/", "Ping", 0)
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.monotonic() + seconds
        while (start := time.monotonic()) < end:
            connection.sendall(ping)
            response(connection)
            times.append((time.monotonic() - start) * 1000)
            time.sleep(0.005)
    return times


def measure(server, address, uploads, seconds, idle_memory):
    cpu, start = programs.cpu_of(server.pid), time.monotonic()
    times = sorted(pings(address, seconds))
    cores = (programs.cpu_of(server.pid) - cpu) / (time.monotonic() - start)
    memory = programs.memory_of(server.pid, "VmRSS")
    each = (memory - idle_memory) / 1024 / uploads if uploads else 0
    median, p99 = statistics.median(times), times[len(times) * 99 // 100]
    print(f"growth {uploads} {median:.3f} {p99:.3f} {each:.1f}", flush=True)
    print(f"growth-cpu {uploads} {cores:.3f}", flush=True)
    return median


def grow(arguments, folder):
    bits = arguments.bits or programs.build_bits()
    with contextlib.ExitStack() as servers:
        options = ["--storage", folder / "uploads", "--max-connections", "1000000"]
        server, url = programs.start_serve(servers, bits, *options)
        host, port = url.removeprefix("http://").split(":")
        address = (host, int(port))
        # The first connections fill caches.
        pings(address, 1)
        idle_memory = programs.memory_of(server.pid, "VmRSS")
        idle = measure(server, address, 0, arguments.seconds, idle_memory)
        counts, counts_of_loader = multiprocessing.Pipe()
        is_ready, ready = multiprocessing.Pipe()
        loader = multiprocessing.Process(target=load, args=(address, counts_of_loader, ready), daemon=True)
        loader.start()
        servers.callback(loader.terminate)
        for uploads in (int(it) for it in arguments.uploads.split(",")):
            counts.send(uploads)
            while not is_ready.poll(1):
                if not loader.is_alive():
                    raise SystemExit("the uploads failed")
            is_ready.recv()
            # Every upload sends something first.
            time.sleep(2 * INTERVAL)
            median = measure(server, address, uploads, arguments.seconds, idle_memory)
            if not loader.is_alive():
                raise SystemExit("the uploads failed")
    return median / idle


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--uploads", default="1000,10000", help="numbers of uploads, growing")
    parser.add_argument("--seconds", type=float, default=10, help="time of each measurement")
    parser.add_argument("--folder", default=programs.ROOT / "target", help="where the server stores")
    parser.add_argument("--bits", help="an existing program instead of building it")
    arguments = parser.parse_args()
    with programs.work_folder("growth", arguments.folder) as folder:
        ratio = grow(arguments, folder)
    verdict = "ok" if ratio <= LIMIT else "over"
    print(f"ratio growth/ping {ratio:.2f} {LIMIT:.2f} {verdict}")
    sys.exit(0 if verdict == "ok" else 1)


if __name__ == "__main__":
    main()
