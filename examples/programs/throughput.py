#!/usr/bin/env python3
"""Compares the throughput of `upload` to `serve` with `curl -T` to nginx with dav.

    examples/programs/throughput.py [--mib 1024] [--fragment 1048576] [--rounds 3] [--folder DIR]

Both use loopback and store in one folder. Rounds alternate, and the medians are compared. The peak
memory of each process comes from the kernel. Requires curl and nginx.
"""

import argparse
import contextlib
import filecmp
import os
import pathlib
import re
import select
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/nginx-bodies;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/nginx-root;
        dav_methods PUT;
    }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def peak_of(pid):
    """Returns the peak memory of a running process in bytes, or 0 if it has ended."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) * 1024 if peak else 0


def run(command):
    """Runs a command. Returns the time in seconds and the peak memory in bytes.

    The peak is read while the command runs: the value of `wait4` includes the memory of this script
    at the start of the command.
    """
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    ended = os.pidfd_open(child.pid)
    peak = peak_of(child.pid)
    while not select.select([ended], [], [], 0.01)[0]:
        peak = max(peak, peak_of(child.pid))
    took = time.monotonic() - start
    os.close(ended)
    if child.wait() != 0:
        raise SystemExit(f"{command[0]} failed: {child.returncode}")
    return took, peak


def start_server(servers, command, **streams):
    """Starts a server that is terminated with `servers`, even after an error."""
    server = subprocess.Popen(command, **streams)
    servers.callback(server.wait)
    servers.callback(server.terminate)
    return server


def start_serve(servers, program, folder):
    root = folder / "serve-root"
    root.mkdir()
    command = [program, "--root", root, "--listen", "127.0.0.1:0", "--allow-overwrite"]
    server = start_server(servers, command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = server.stdout.readline().strip().removeprefix("listening on ")
    return server, url, root


def start_nginx(servers, folder):
    root = folder / "nginx-root"
    root.mkdir()
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text("user root;" * (os.geteuid() == 0) + NGINX.format(folder=folder, port=port))
    server = start_server(servers, ["nginx", "-c", configuration, "-e", folder / "nginx.log"])
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, f"http://127.0.0.1:{port}", root
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def generate(path, mib):
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(os.urandom(1024 * 1024))


def build():
    command = ["cargo", "build", "--release", "--example", "serve", "--example", "upload"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release/examples/serve", target / "release/examples/upload"


def compare(arguments, folder):
    serve, upload = build()
    entity = folder / "entity"
    generate(entity, arguments.mib)
    took, client_peaks = {}, {}
    with contextlib.ExitStack() as servers:
        ours, our_url, our_root = start_serve(servers, serve, folder)
        theirs, their_url, their_root = start_nginx(servers, folder)
        fragment = str(arguments.fragment)
        commands = {
            "upload to serve": [upload, entity, f"{our_url}/entity", "--fragment-size", fragment],
            "curl -T to nginx": ["curl", "-sSf", "-T", entity, f"{their_url}/entity"],
        }
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                seconds, peak = run(command)
                took.setdefault(name, []).append(seconds)
                client_peaks[name] = max(peak, client_peaks.get(name, 0))
        server_peaks = {"upload to serve": peak_of(ours.pid), "curl -T to nginx": peak_of(theirs.pid)}
        for root in our_root, their_root:
            if not filecmp.cmp(entity, root / "entity", shallow=False):
                raise SystemExit(f"{root}: the entity differs from the source")
    report(arguments.mib, took, client_peaks, server_peaks)


def report(mib, took, client_peaks, server_peaks):
    medians = {name: statistics.median(seconds) for name, seconds in took.items()}
    for name, median in medians.items():
        print(f"{name:18} {mib / median:7.0f} MiB/s   peak: client {client_peaks[name] / 2**20:5.1f} MiB,"
              f" server {server_peaks[name] / 2**20:5.1f} MiB")
    ours, theirs = medians.values()
    print(f"ratio of the throughputs {theirs / ours:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--fragment", type=int, default=1024 * 1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=ROOT / "target")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="throughput-", dir=arguments.folder))
    try:
        compare(arguments, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
