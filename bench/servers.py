"""Servers to measure: real uvicorn processes of one worker on loopback, each ended by its own process id."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0
_ROOT = Path(__file__).parent.parent
_READY = 200


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def floor(factory: str, settings: Mapping[str, str] | None = None) -> Iterator[int]:
    """Serve one of `bench.floors` as the product is served: httptools, uvloop, no access log. Gives its port."""
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", f"bench.floors:{factory}", "--factory", "--port", str(port),
        "--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    with running(command, settings or {}) as process:
        wait_until_ready(process, port, "/ready")
        yield port


@contextmanager
def stagerail(url: str, **settings: str) -> Iterator[int]:
    """Serve the product, as shipped, on a database that is up to date. Gives its port."""
    port = free_port()
    command, own = serve(url, port)
    with running(command, {**own, **settings}) as process:
        wait_until_ready(process, port, "/health/ready")
        yield port


def serve(url: str, port: int) -> tuple[list[str], dict[str, str]]:
    """The command of the product's server, and its settings."""
    settings = {"STAGERAIL_DATABASE_URL": url, "STAGERAIL_PORT": str(port), "STAGERAIL_LOG_LEVEL": "warning"}
    return [str(Path(sys.executable).parent / "stagerail"), "serve"], settings


@contextmanager
def running(command: list[str], settings: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A child process, ended when the block is left."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STAGERAIL_")}
    process = subprocess.Popen(command, cwd=_ROOT, env={**inherited, **settings}, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    """Ask until the answer is 200."""
    deadline = time.perf_counter() + PATIENCE
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        if _status(port, path) == _READY:
            return
        time.sleep(0.01)
    raise RuntimeError("the server did not become ready")


def _status(port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()
