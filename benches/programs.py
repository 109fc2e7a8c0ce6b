"""Programs that the benches start: servers and clients on loopback."""

import contextlib
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Debian installs servers here, which is not in the PATH of all users.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"


@dataclass
class Usage:
    """The cost of one run of a client: seconds, CPU seconds of the client, and bytes of memory."""
    seconds: float
    cpu: float
    peak: int


def require(tool):
    """Returns the path of a tool, which is installed from Debian if it is missing."""
    if not shutil.which(tool, path=PATH):
        command = ["apt-get", "install", "--yes", "--no-install-recommends", tool]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return shutil.which(tool, path=PATH)


def build(*arguments):
    """Builds optimised programs, and returns their folder."""
    subprocess.run(["cargo", "build", "--quiet", "--release", *arguments], cwd=ROOT, check=True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"


def build_bits():
    return build("--package", "bits-cli", "--bin", "bits") / "bits"


@contextlib.contextmanager
def work_folder(name, parent):
    """A folder that is deleted afterwards."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def cpu_of(pid):
    """Returns the CPU seconds of a running process, with all of its threads."""
    # What clock_getcpuclockid(3) returns on Linux.
    return time.clock_gettime(~pid << 3 | 2)


def memory_of(pid, field):
    """Returns a size in /proc/PID/status in bytes, or 0 if the process has ended."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    size = re.search(rf"{field}:\s+(\d+) kB", status)
    return int(size[1]) * 1024 if size else 0


def run(command, environment=None):
    """Runs a client to its end.

    The peak of the memory is read while it runs: the value of `wait4` includes the memory of this script at the
    start of the command.
    """
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    ended = os.pidfd_open(child.pid)
    peak = memory_of(child.pid, "VmHWM")
    while not select.select([ended], [], [], 0.01)[0]:
        peak = max(peak, memory_of(child.pid, "VmHWM"))
    seconds = time.monotonic() - start
    os.close(ended)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {child.returncode}")
    return Usage(seconds, usage.ru_utime + usage.ru_stime, peak)


def start_server(servers, command, **streams):
    """Starts a server that is terminated with `servers`, even after an error."""
    server = subprocess.Popen(command, **streams)
    servers.callback(server.wait)
    servers.callback(server.terminate)
    return server


def start_serve(servers, program, *options, **streams):
    """Starts `bits serve`. Returns it with its URL."""
    command = [program, "serve", "--listen", "127.0.0.1:0", "--allow-overwrite", *options]
    server = start_server(servers, command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **streams)
    url = server.stdout.readline().strip().removeprefix("listening on ")
    return server, url


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
