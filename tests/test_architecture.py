"""The rooms of the product and the habits of its code, each seen to fail when somebody breaks it."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
APP = ROOT / "app"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LONGEST_FILE, LONGEST_FUNCTION = 300, 50
ENGINE_MAY_IMPORT = {"app", "pydantic", "pydantic_core", "transitions", "yaml", *sys.stdlib_module_names}
SQL = re.compile(
    r"\s*(select\s.+\sfrom|insert\s+into|update\s.+\sset|delete\s+from|create\s+table)\s", re.IGNORECASE | re.DOTALL
)
COMPOSING = {"Settings", "create_app", "from_env", "getenv", "open_database"}

# One violation of each contract: where it is planted, and what it says.
PLANTED = {
    "layers": ("app/engine/planted.py", "import app.settings"),
    "transitions": ("app/engine/planted.py", "import transitions"),
    "engine": ("app/engine/planted.py", "import logging"),
    "sql": ("app/services/planted.py", "import sqlalchemy"),
    "outgoing": ("app/crm/planted.py", "import httpx"),
    "framework": ("app/services/planted.py", "import fastapi"),
}


def lint_imports(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo", *options]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def test_every_import_contract_holds() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy_of_the_app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(APP, folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize("contract", [contract["id"] for contract in CONTRACTS])
def test_an_import_contract_fails_when_it_is_broken(copy_of_the_app: Path, contract: str) -> None:
    path, violation = PLANTED[contract]
    planted = copy_of_the_app / path
    planted.write_text(violation + "\n")
    done = lint_imports(copy_of_the_app, "--contract", contract)
    planted.unlink()
    assert (done.returncode, "BROKEN" in done.stdout) == (1, True), done.stdout + done.stderr


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def unknown_to_the_engine(path: str, source: str) -> Iterator[str]:
    """Find imports of the engine that are on no list: neither the standard library nor what it is built on."""
    if path.startswith("app/engine/"):
        for name in imports(ast.parse(source)):
            if name.partition(".")[0] not in ENGINE_MAY_IMPORT:
                yield f"imports {name}"


def sql_outside_the_store(path: str, source: str) -> Iterator[str]:
    """Find texts that are statements."""
    if not path.startswith("app/store/"):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
                yield f"{node.lineno}: {node.value[:40]}"


def too_long(_path: str, source: str) -> Iterator[str]:
    """Find files and functions that nobody reads to the end."""
    lines = source.count("\n")
    if lines > LONGEST_FILE:
        yield f"{lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{node.name} has {length} lines"


def clock_read_elsewhere(path: str, source: str) -> Iterator[str]:
    """Find other ways than ruff knows to ask for the time."""
    if path != "app/clock.py":
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today", "time_ns"}:
                owner = ast.unparse(node.value)
                if owner.rpartition(".")[2] in {"datetime", "date", "time", "dt"}:
                    yield f"{node.lineno}: {owner}.{node.attr}"


def composed_at_import(_path: str, source: str) -> Iterator[str]:
    """Find settings, applications and databases that are made while a module is imported."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        for node in ast.walk(statement):
            name = getattr(node, "attr", None) or getattr(node, "id", None)
            if (isinstance(node, ast.Call) and _called(node) in COMPOSING) or name == "environ":
                yield f"{statement.lineno}: {ast.unparse(statement)[:40]}"


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def calls_out(path: str, source: str) -> Iterator[str]:
    """Find the standard library's ways to call another host; only the command line is a client, of its own server."""
    if not path.startswith("app/cli/"):
        for name in imports(ast.parse(source)):
            if name.startswith(("urllib.request", "http.client")):
                yield f"imports {name}"


def late_annotations(path: str, source: str) -> Iterator[str]:
    """Find the future import that breaks SQLModel's relationships and FastAPI's routes."""
    if path.startswith(("app/store/", "app/api/")) and "__future__" in imports(ast.parse(source)):
        yield "annotations are evaluated late"


HABITS: dict[Callable[[str, str], Iterator[str]], tuple[str, str]] = {
    unknown_to_the_engine: ("app/engine/planted.py", "import json, dotenv"),
    sql_outside_the_store: ("app/api/planted.py", "X = 'SELECT id FROM deals WHERE 1'"),
    too_long: ("app/planted.py", "def f():\n" + "    x = 1\n" * (LONGEST_FUNCTION + 1)),
    clock_read_elsewhere: ("app/api/planted.py", "import datetime as dt\nNOW = dt.datetime.now(dt.UTC)"),
    composed_at_import: ("app/main.py", "app = create_app(Settings.from_env(os.environ))"),
    calls_out: ("app/crm/planted.py", "from urllib.request import urlopen"),
    late_annotations: ("app/api/planted.py", "from __future__ import annotations"),
}


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
def test_the_code_keeps_its_habits(habit: Callable[[str, str], Iterator[str]]) -> None:
    files = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(APP.rglob("*.py"))}
    assert [] == [f"{path}: {finding}" for path, source in files.items() for finding in habit(path, source)]


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
def test_a_habit_is_seen_when_it_is_broken(habit: Callable[[str, str], Iterator[str]]) -> None:
    assert list(habit(*HABITS[habit]))


def test_a_file_of_more_than_three_hundred_lines_is_seen() -> None:
    assert list(too_long("app/planted.py", "X = 1\n" * (LONGEST_FILE + 1))) == ["301 lines"]
