#!/usr/bin/env python3
"""Compares uploads with `bits upload` to `bits serve` with other programs, over loopback.

    benches/throughput.py [--mib 512] [--fragments 0,1,4,13] [--rounds 5] [--folder DIR] [--bits PROGRAM] [--s3]

By default it compares with `curl -T` to nginx with dav, with its defaults and with a larger buffer. All store in one
folder. With --s3 all store in an S3 server (s3s-fs), and the comparison is with the multipart upload of the crate
object_store. Rounds alternate, and the medians are compared.

Prints lines `throughput NAME FRAGMENT_MIB MIB_PER_S CPU_SECONDS`, where the CPU seconds are those of client and
server, and FRAGMENT_MIB is 0 without a fixed length; and lines `ratio NAME VALUE LIMIT ok|over` against nginx with
its defaults. Fails if a limit is exceeded. Installs curl and nginx from Debian if they are missing; --s3 requires
s3s-fs (`cargo install s3s-fs --features binary`).
"""

import argparse
import contextlib
import filecmp
import os
import pathlib
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

import programs

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_max_body_size 0;
    {options}
    client_body_temp_path {folder}/bodies;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/root;
        dav_methods PUT;
    }}
}}
"""

# Maximum CPU seconds and maximum time, relative to curl and nginx with its defaults, by MiB per fragment.
LIMITS = {4: (0.95, 1 / 1.0), 13: (0.85, 1 / 1.25)}


@dataclass
class Subject:
    """A client with its server. `None` in the command is the path of the entity."""
    name: str
    fragment: int
    server: subprocess.Popen | None
    command: list
    stored: pathlib.Path
    environment: dict | None = None
    seconds: list = field(default_factory=list)
    cpu: list = field(default_factory=list)
    client_peak: int = 0

    def run(self, entity, counts):
        before = programs.cpu_of(self.server.pid) if self.server else 0
        usage = programs.run([entity if it is None else it for it in self.command], self.environment)
        after = programs.cpu_of(self.server.pid) if self.server else 0
        self.client_peak = max(usage.peak, self.client_peak)
        if counts:
            self.seconds.append(usage.seconds)
            self.cpu.append(usage.cpu + after - before)

    def report(self, mib):
        speed, cpu = mib / statistics.median(self.seconds), statistics.median(self.cpu)
        print(f"throughput {self.name} {self.fragment} {speed:.0f} {cpu:.3f}")
        server_peak = programs.memory_of(self.server.pid, "VmHWM") if self.server else 0
        print(f"# peak of memory: client {self.client_peak / 2**20:.1f} MiB, server {server_peak / 2**20:.1f} MiB")


def generate(path, mib):
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(os.urandom(1024 * 1024))


def uploads(bits, fragments, server, url, stored, environment=None):
    """Returns `bits upload` with each length of fragments; 0 is the default of the program."""
    for fragment in fragments:
        command = [bits, "upload", None, f"{url}/entity", "--no-resume"]
        command += ["--fragment-size", f"{fragment}MiB"] if fragment else []
        yield Subject("bits", fragment, server, command, stored, environment)


def start_nginx(servers, folder, name, options):
    """Starts nginx in a folder of its own. Returns it with the root and the URL."""
    folder = folder / name
    (folder / "root").mkdir(parents=True)
    port = programs.free_port()
    configuration = folder / "nginx.conf"
    text = NGINX.format(folder=folder, port=port, options=options)
    configuration.write_text("user root;" * (os.geteuid() == 0) + text)
    command = [programs.require("nginx"), "-c", configuration, "-e", folder / "nginx.log"]
    server = programs.start_server(servers, command)
    programs.wait_for(port)
    return server, folder / "root", f"http://127.0.0.1:{port}"


def with_nginx(servers, folder, bits, fragments):
    root = folder / "bits"
    serve, url = programs.start_serve(servers, bits, "--storage", root)
    yield from uploads(bits, fragments, serve, url, root / "entity")
    curl = programs.require("curl")
    for name, options in ("nginx", ""), ("nginx-1m", "client_body_buffer_size 1m;"):
        server, root, url = start_nginx(servers, folder, name, options)
        yield Subject(name, 0, server, [curl, "-sSf", "-T", None, f"{url}/entity"], root / "entity")


def with_s3(servers, folder, bits, fragments):
    root = folder / "s3-root"
    (root / "bucket").mkdir(parents=True)
    port = programs.free_port()
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    command = ["s3s-fs", "--host", "127.0.0.1", "--port", str(port), "--access-key", "key", "--secret-key", "secret", root]
    programs.start_server(servers, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    programs.wait_for(port)
    endpoint = {"AWS_ENDPOINT": f"http://127.0.0.1:{port}", "AWS_ALLOW_HTTP": "true"}
    environment = os.environ | keys | endpoint
    options = ["--storage", "s3://bucket/ours", "--sessions", folder / "sessions"]
    serve, url = programs.start_serve(servers, bits, *options, env=environment)
    yield from uploads(bits, fragments, serve, url, root / "bucket/ours/entity", environment)
    package = ["--package", "bits-server", "--features", "object"]
    object_put = programs.build(*package, "--example", "object_put") / "examples/object_put"
    command = [object_put, None, "s3://bucket/entity"]
    yield Subject("object_store", 0, None, command, root / "bucket/entity", environment)


def compare(arguments, folder):
    bits = arguments.bits or programs.build_bits()
    entity = folder / "entity"
    generate(entity, arguments.mib)
    fragments = [int(it) for it in arguments.fragments.split(",")]
    with contextlib.ExitStack() as servers:
        start = with_s3 if arguments.s3 else with_nginx
        subjects = list(start(servers, folder, bits, fragments))
        for round in range(arguments.rounds + 1):
            for subject in subjects:
                # Pending writes of the previous program would slow this one down.
                os.sync()
                # The first round fills caches.
                subject.run(entity, counts=round > 0)
        for subject in subjects:
            if not filecmp.cmp(entity, subject.stored, shallow=False):
                raise SystemExit(f"{subject.stored}: the entity differs from the source")
            subject.report(arguments.mib)
    return subjects


def check(subjects):
    """Prints the ratios with their limits. Returns true if all are within their limits."""
    nginx = next((it for it in subjects if it.name == "nginx"), None)
    is_within = True
    for subject in subjects:
        if nginx is None or subject.fragment not in LIMITS:
            continue
        ratios = [
            statistics.median(ours) / statistics.median(theirs)
            for ours, theirs in ((subject.cpu, nginx.cpu), (subject.seconds, nginx.seconds))
        ]
        for what, ratio, limit in zip(("cpu", "time"), ratios, LIMITS[subject.fragment]):
            verdict = "ok" if ratio <= limit else "over"
            is_within &= ratio <= limit
            print(f"ratio end-to-end/{subject.fragment}-mib/{what} {ratio:.2f} {limit:.2f} {verdict}")
    return is_within


def main():
    formatter = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--mib", type=int, default=512, help="length of the entity")
    parser.add_argument("--fragments", default="0,1,4,13", help="MiB per fragment; 0 for the default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default=programs.ROOT / "target", help="where all programs store")
    parser.add_argument("--bits", help="an existing program instead of building it")
    parser.add_argument("--s3", action="store_true", help="store in an S3 server")
    arguments = parser.parse_args()
    with programs.work_folder("throughput", arguments.folder) as folder:
        subjects = compare(arguments, folder)
    sys.exit(0 if check(subjects) else 1)


if __name__ == "__main__":
    main()
