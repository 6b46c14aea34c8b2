"""The container image, as far as it can be proved without a container: its own commands run, its own command serves."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
# One instruction a line: continued lines joined, comments gone.
INSTRUCTIONS = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^\s*#.*\n", "", TEXT)).splitlines()


def instructions(name: str) -> list[str]:
    return [line.removeprefix(name).strip() for line in INSTRUCTIONS if line.startswith(f"{name} ")]


def test_the_image_has_a_pinned_base_no_root_and_commands_without_a_shell() -> None:
    assert instructions("FROM") == ["python:3.13-slim-trixie AS build", "python:3.13-slim-trixie"]
    assert instructions("USER") == ["10001"]
    assert json.loads(instructions("CMD")[-1]) == ["stagerail", "serve", "--host", "0.0.0.0"]  # noqa: S104
    assert INSTRUCTIONS.index("USER 10001") > INSTRUCTIONS.index("COPY --from=build /opt/stagerail /opt/stagerail")


def test_only_the_projects_own_wheel_is_installed_without_hashes() -> None:
    installs = [
        part for line in instructions("RUN") for part in line.split("&&") if "pip" in part and "install" in part
    ]
    assert ["--require-hashes" in part for part in installs] == [True, True, False]
    assert "--no-deps --no-index" in installs[-1]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the build stage in a folder that stands for `/`; the packages of the locks are those of this environment."""
    root = tmp_path_factory.mktemp("image")
    source = root / "src"
    for copied in instructions("COPY"):
        if not copied.startswith("--from"):
            *names, to = copied.split()
            for name in names:
                _copy(ROOT / name, source / to / Path(name).name if to.endswith("/") else source / to)
    packages = sysconfig.get_path("purelib")
    for line in instructions("RUN")[:3]:
        for part in line.split(" && "):
            if "--require-hashes" in part:
                folder = "build" if "build.lock" in part else "stagerail"
                (site,) = (root / "opt" / folder / "lib").glob("python*/site-packages")
                (site / "locked.pth").write_text(packages)
            else:
                _run(part, root)
    return root / "opt" / "stagerail" / "bin"


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(path, to)


def _run(command: str, root: Path) -> None:
    here = command.replace("/opt/", f"{root}/opt/").replace("/wheels", f"{root}/wheels")
    here = re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", here)
    done = subprocess.run(["bash", "-c", here], cwd=root / "src", check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{here}\n{done.stdout}{done.stderr}"


def test_the_built_image_migrates_serves_and_is_healthy(image: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        "PATH": f"{image}:{os.environ['PATH']}",
        "STAGERAIL_DATABASE_URL": f"sqlite:///{tmp_path / 'stagerail.db'}",
        "STAGERAIL_PORT": str(port),
    }
    where = subprocess.run(
        [image / "python", "-c", "import app; print(app.__file__)"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(image.parent))  # the wheel, not the tree that the tests run in
    subprocess.run([image / "stagerail", "migrate"], cwd=tmp_path, env=environ, check=True, capture_output=True)
    command = json.loads(instructions("CMD")[-1])
    command[command.index("0.0.0.0")] = "127.0.0.1"  # noqa: S104
    healthy = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2])
    server = subprocess.Popen([image / command[0], *command[1:]], cwd=tmp_path, env=environ, stderr=subprocess.DEVNULL)
    try:
        assert _becomes_healthy([str(image / healthy[0]), *healthy[1:]], environ)
    finally:
        server.terminate()
        assert server.wait(timeout=15) in {0, -15}


def _becomes_healthy(command: list[str], environ: dict[str, str]) -> bool:
    for _ in range(40):
        if subprocess.run(command, env=environ, check=False, capture_output=True).returncode == 0:
            return True
        time.sleep(0.25)
    return False
