#!/usr/bin/env python3
"""How fast an entity goes from `upload` to `serve`, beside `curl -T` to nginx with dav.

    examples/programs/throughput.py [--mib 1024] [--fragment 1048576] [--rounds 3] [--folder DIR]

Both go over loopback and store in one folder; rounds alternate, and the medians are compared. The
peak of each process's memory is what the kernel counted. Needs curl and nginx.
"""

import argparse
import filecmp
import os
import pathlib
import re
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
    """The peak of a running process's memory, in bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def run(command):
    """How long a command took in seconds, and the peak of its memory in bytes."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"{command[0]} failed: {status}")
    return took, usage.ru_maxrss * 1024


def start_serve(program, folder):
    root = folder / "serve-root"
    root.mkdir()
    command = [program, "--root", root, "--listen", "127.0.0.1:0", "--allow-overwrite"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = server.stdout.readline().strip().removeprefix("listening on ")
    return server, url, root


def start_nginx(folder):
    root = folder / "nginx-root"
    root.mkdir()
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text("user root;" * (os.geteuid() == 0) + NGINX.format(folder=folder, port=port))
    server = subprocess.Popen(["nginx", "-c", configuration, "-e", folder / "nginx.log"])
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
    ours, our_url, our_root = start_serve(serve, folder)
    theirs, their_url, their_root = start_nginx(folder)
    fragment = str(arguments.fragment)
    commands = {
        "upload to serve": [upload, entity, f"{our_url}/entity", "--fragment-size", fragment],
        "curl -T to nginx": ["curl", "-sSf", "-T", entity, f"{their_url}/entity"],
    }
    took = {name: [] for name in commands}
    peaks = {}
    try:
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                seconds, peak = run(command)
                took[name].append(seconds)
                peaks[name] = max(peak, peaks.get(name, 0))
        servers = {"upload to serve": peak_of(ours.pid), "curl -T to nginx": peak_of(theirs.pid)}
        for root in our_root, their_root:
            if not filecmp.cmp(entity, root / "entity", shallow=False):
                raise SystemExit(f"{root}: the entity is another one")
    finally:
        ours.terminate()
        theirs.terminate()
    for name in commands:
        speed = arguments.mib / statistics.median(took[name])
        print(f"{name:18} {speed:7.0f} MiB/s   peak: client {peaks[name] / 2**20:5.1f} MiB,"
              f" server {servers[name] / 2**20:5.1f} MiB")
    ours_median, theirs_median = (statistics.median(it) for it in took.values())
    print(f"ratio of the speeds {theirs_median / ours_median:.2f}")


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
