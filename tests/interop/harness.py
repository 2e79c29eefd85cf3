"""What all judges share: running programs with a limit, brokers to run them against, the cache, the counts.

Owns no expectation: those are in judges/.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = Path(
    os.environ.get("KAFKIT_INTEROP_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kafkit-interop"
)
KAFKA_VERSION = os.environ.get("KAFKA_VERSION", "4.3.1")
KAFKIT = Path(os.environ.get("KAFKIT", ROOT / "target" / "release" / "kafkit"))
# How many judges work at a time, and which of those places this process has.
LANES = int(os.environ.get("KAFKIT_INTEROP_LANES", 2))
LANE = int(os.environ.get("KAFKIT_INTEROP_LANE", 0))
SCRATCH = Path(tempfile.mkdtemp(prefix="kafkit-interop-"))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


class Failure(Exception):
    """An expectation that did not hold; the text says which."""


def expect(held, what):
    if not held:
        raise Failure(what)


def equal(seen, wanted, what):
    if seen != wanted:
        raise Failure(f"{what}: wanted {shorten(wanted)}, saw {shorten(seen)}")


def wait_until(condition, what, limit=60):
    """Asks again until `condition()` holds; after `limit` seconds it is a failure. `what` may be made only then."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() >= end:
            raise Failure(what() if callable(what) else what)
        time.sleep(0.1)


def shorten(value, limit=700):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else f"{text[: limit // 2]} … {text[-limit // 2 :]}"


def run(*argv, stdin=None, limit=60, status=0, **more):
    """Runs a program to its end and returns its stdout as text; any other exit status is a failure."""
    argv = [str(word) for word in argv]
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, errors="replace", timeout=limit, **more
        )
    except subprocess.TimeoutExpired as late:
        raise Failure(f"{shorten(' '.join(argv))}: no end after {limit} s; stdout: {shorten(str(late.stdout))}; "
                      f"stderr: {shorten(str(late.stderr))}") from None
    if status is not None and done.returncode != status:
        raise Failure(f"{shorten(' '.join(argv))}: exit status {done.returncode}\n{shorten(done.stdout)}\n"
                      f"{shorten(done.stderr, 2000)}")
    return done.stdout


def integration_test(name, limit=900, **environment):
    """One test of `cargo test`, which has built it already: with the profile that KAFKIT was built with. That no test has
    the name is a failure."""
    profile = [] if KAFKIT.parent.name == "debug" else ["--release"]
    done = run("cargo", "test", *profile, "--locked", "--test", "integration", "--", name, cwd=ROOT, limit=limit,
               env={**os.environ, **environment})
    expect("test result: ok. 1 passed" in done, done)


class Program:
    """A program that goes on while others run; its stdout lines are collected."""

    def __init__(self, *argv, **more):
        self.argv = [str(word) for word in argv]
        self.lines = []
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            errors="replace", **more,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def stderr(self):
        # The program writes at the same offset that a seek would move.
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode(errors="replace")

    def write(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def wait_for(self, condition, what, limit=30):
        """Waits until `condition(lines)` holds."""
        end = time.monotonic() + limit
        while not condition(self.lines):
            if time.monotonic() > end or (self.process.poll() is not None and not self.reader.is_alive()):
                raise Failure(f"{shorten(' '.join(self.argv))}: {what}; {len(self.lines)} lines, the last: "
                              f"{self.lines[-3:]}; stderr: {shorten(self.stderr(), 2000)}")
            time.sleep(0.02)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_cluster_port(nodes):
    """The first of the ports that a cluster of Apache Kafka takes, below the range of outgoing connections: a port
    from that range can be taken between the look and the start. So can one that another lane looks at."""
    share = 12_000 // LANES
    for port in range(20_000 + LANE * share, 20_000 + (LANE + 1) * share - 200, 200):
        if not any(answers(taken) for node in range(nodes) for taken in (port + node, port + 100 + node)):
            return port
    raise Failure("no free ports for a cluster")


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class MiniBroker:
    """kafkit's broker on a directory of its own."""

    def __init__(self, name, port=None):
        self.data_dir = SCRATCH / f"{name}-data"
        self.port = port or free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.program = None

    def start(self):
        expect(not answers(self.port), f"port {self.port} is taken")
        self.program = Program(KAFKIT, "broker", "--listen", self.bootstrap, "--data-dir", self.data_dir)
        end = time.monotonic() + 10
        while not answers(self.port):
            alive = self.program.process.poll() is None and time.monotonic() < end
            if not alive:
                raise Failure(f"the mini broker does not start: {self.program.stderr()}")
            time.sleep(0.01)

    def stop(self, how=signal.SIGTERM):
        if self.program:
            self.program.stop(how)

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.start()

    def log_files(self, suffix):
        return sorted(self.data_dir.glob(f"*-*/*{suffix}"))


class ApacheKafka:
    """Apache Kafka in the mini broker's place: shows that a judge asks for nothing but what Kafka does."""

    def __init__(self, name, port=None, nodes=1, log_dirs=1, secure=False, authorizer=False):
        self.dir = SCRATCH / f"{name}-apache"
        self.authorizer = authorizer
        self.log_dirs = log_dirs
        self.secure = secure
        self.data_dir = self.dir / "node1"
        self.nodes = nodes
        self.port = port or free_cluster_port(nodes)
        self.bootstrap = f"127.0.0.1:{self.port}"

    def start(self):
        run(HERE / "apache-kafka", "start", self.dir, self.nodes, self.port, limit=300,
            env={**os.environ, "KAFKA_LOG_DIRS": str(self.log_dirs), "KAFKA_SECURE": "1" if self.secure else "",
                 "KAFKA_AUTHORIZER": "1" if self.authorizer else ""})

    def stop(self, _how=None):
        if self.dir.exists():
            run(HERE / "apache-kafka", "stop", self.dir)

    def restart(self, how=None):
        self.stop(how)
        run(HERE / "apache-kafka", "revive", self.dir, 1, limit=120)

    def log_files(self, suffix):
        return sorted(self.data_dir.glob(f"*-*/*{suffix}"))


def bring_apache_kafka():
    run(HERE / "apache-kafka", "fetch", limit=400)


def kafka_tool(tool, *argv, **more):
    """One of Apache Kafka's own tools."""
    return run(HERE / "apache-kafka", "run", tool, *argv, **more)


def jars(name, *coordinates):
    """A folder with the jars of `group:artifact:version[:classifier]` coordinates and all they need."""
    folder = CACHE / name
    if (folder / "complete").exists():
        return folder / "libs"
    folder.mkdir(parents=True, exist_ok=True)
    tags = ["groupId", "artifactId", "version", "classifier"]
    parts = [zip(tags, coordinate.split(":")) for coordinate in coordinates]
    dependencies = "".join(
        "<dependency>" + "".join(f"<{tag}>{value}</{tag}>" for tag, value in part) + "</dependency>" for part in parts
    )
    (folder / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>kafkit.interop</groupId><artifactId>{name}</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
    run("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs", "-DincludeScope=runtime",
        limit=400, cwd=folder)
    (folder / "complete").touch()
    return folder / "libs"


def python_with(*packages):
    """The python of a virtual environment with these packages."""
    folder = CACHE / "python"
    python = folder / "bin" / "python"
    if not python.exists():
        run(sys.executable, "-m", "venv", folder, limit=120)
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages, limit=300)
    return python


def go_programs(module, folder):
    """The programs of a Go module, built into `folder`; Go brings the modules they name."""
    expect(shutil.which("go"), "Go is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    run("go", "build", "-o", folder, "./...", cwd=module, limit=400)


def node_packages(name, *packages):
    """A folder for NODE_PATH with these npm packages; none may build anything."""
    expect(shutil.which("npm"), "Node.js is not installed")
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    run("npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", *packages, limit=300)
    return folder / "node_modules"


def program(name, package):
    """The path of an installed program, which apt-get brings if it must."""
    if not shutil.which(name):
        # Lists may be stale or absent on a fresh machine; only the installation's outcome counts.
        run("apt-get", "update", limit=300, status=None)
        run("apt-get", "install", "-y", "-q", package, limit=300)
    path = shutil.which(name)
    expect(path, f"{name} cannot be installed")
    return path


class Counts:
    """What passed, what failed; a judge that cannot run fails."""

    def __init__(self):
        self.passed = 0
        self.failed = []

    def check(self, name, act):
        begun = time.monotonic()
        try:
            result = act()
        except Exception as problem:  # every kind: a judge that falls over has not passed
            text = str(problem) if isinstance(problem, Failure) else traceback.format_exc()
            print(f"FAILED  {name}  ({time.monotonic() - begun:.1f} s)\n        " + text.replace("\n", "\n        "))
            self.failed.append(name)
            return None
        print(f"ok      {name}  ({time.monotonic() - begun:.1f} s)", flush=True)
        self.passed += 1
        return result
