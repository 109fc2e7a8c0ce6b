#!/usr/bin/env python3
"""Compares the throughput of `bits upload` to `bits serve` with other programs.

    benches/throughput.py [--mib 1024] [--fragment 1MiB] [--rounds 3] [--folder DIR] [--s3]

By default it compares with `curl -T` to nginx with dav, and both store in one folder. With --s3 both store in an
S3 server (s3s-fs), and it compares with the multipart upload of the crate object_store. Everything uses loopback.
Rounds alternate, and the medians are compared. The peak memory of each process comes from the kernel. Requires
curl and nginx, or s3s-fs (`cargo install s3s-fs --features binary`).
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

ROOT = pathlib.Path(__file__).resolve().parents[1]

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


def run(command, environment=None):
    """Runs a command. Returns the time in seconds and the peak memory in bytes.

    The peak is read while the command runs: the value of `wait4` includes the memory of this script
    at the start of the command.
    """
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
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


def start_serve(servers, program, *options, **streams):
    command = [program, "serve", "--listen", "127.0.0.1:0", "--allow-overwrite", *options]
    server = start_server(servers, command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **streams)
    url = server.stdout.readline().strip().removeprefix("listening on ")
    return server, url


def start_nginx(servers, folder):
    root = folder / "nginx-root"
    root.mkdir()
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text("user root;" * (os.geteuid() == 0) + NGINX.format(folder=folder, port=port))
    server = start_server(servers, ["nginx", "-c", configuration, "-e", folder / "nginx.log"])
    wait_for(port)
    return server, f"http://127.0.0.1:{port}", root


def wait_for(port):
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def start_s3(servers, folder):
    """Starts an S3 server with one bucket. Returns it with the variables for its clients."""
    root = folder / "s3-root"
    (root / "bucket").mkdir(parents=True)
    port = free_port()
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    command = ["s3s-fs", "--host", "127.0.0.1", "--port", str(port), "--access-key", "key", "--secret-key", "secret", root]
    server = start_server(servers, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(port)
    endpoint = {"AWS_ENDPOINT": f"http://127.0.0.1:{port}", "AWS_ALLOW_HTTP": "true"}
    return server, os.environ | keys | endpoint, root / "bucket"


def generate(path, mib):
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(os.urandom(1024 * 1024))


def build():
    packages = ["--package", "bits-cli", "--bin", "bits", "--package", "bits-server", "--example", "object_put"]
    subprocess.run(["cargo", "build", "--release", "--features", "bits-server/object", *packages], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    return target / "bits", target / "examples/object_put"


def with_nginx(servers, folder, bits, _):
    ours_root = folder / "serve-root"
    ours, our_url = start_serve(servers, bits, "--storage", ours_root)
    theirs, their_url, their_root = start_nginx(servers, folder)
    return {
        "bits upload to bits serve": (ours, our_url, None, ours_root / "entity"),
        "curl -T to nginx": (theirs, ["curl", "-sSf", "-T", None, f"{their_url}/entity"], None, their_root / "entity"),
    }


def with_s3(servers, folder, bits, object_put):
    _, environment, root = start_s3(servers, folder)
    options = ["--storage", "s3://bucket/ours", "--sessions", folder / "sessions"]
    ours, our_url = start_serve(servers, bits, *options, env=environment)
    return {
        "bits upload to bits serve": (ours, our_url, None, root / "ours/entity"),
        "object_store": (None, [object_put, None, "s3://bucket/entity"], environment, root / "entity"),
    }


def compare(arguments, folder):
    bits, object_put = build()
    entity = folder / "entity"
    generate(entity, arguments.mib)
    took, client_peaks, server_peaks = {}, {}, {}
    with contextlib.ExitStack() as servers:
        start = with_s3 if arguments.s3 else with_nginx
        subjects = start(servers, folder, bits, object_put)
        for round in range(arguments.rounds + 1):
            for name, (server, command, environment, stored) in subjects.items():
                if isinstance(command, str):
                    command = [bits, "upload", None, f"{command}/entity", "--no-resume",
                               "--fragment-size", arguments.fragment]
                seconds, peak = run([entity if it is None else it for it in command], environment)
                # The first round fills caches.
                if round > 0:
                    took.setdefault(name, []).append(seconds)
                client_peaks[name] = max(peak, client_peaks.get(name, 0))
                server_peaks[name] = peak_of(server.pid) if server else 0
        for *_, stored in subjects.values():
            if not filecmp.cmp(entity, stored, shallow=False):
                raise SystemExit(f"{stored}: the entity differs from the source")
    report(arguments.mib, took, client_peaks, server_peaks)


def report(mib, took, client_peaks, server_peaks):
    medians = {name: statistics.median(seconds) for name, seconds in took.items()}
    for name, median in medians.items():
        print(f"{name:26} {mib / median:7.0f} MiB/s   peak: client {client_peaks[name] / 2**20:5.1f} MiB,"
              f" server {server_peaks[name] / 2**20:5.1f} MiB")
    ours, theirs = medians.values()
    print(f"ratio of the throughputs {theirs / ours:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--fragment", default="1MiB")
    parser.add_argument("--s3", action="store_true", help="store in an S3 server")
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
