"""The locks: complete, hashed, and good on any machine."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = {
    "runtime": PROJECT["project"]["dependencies"],
    "build": PROJECT["dependency-groups"]["build"],
    "fuzz": PROJECT["dependency-groups"]["fuzz"],
    "dev": [
        *PROJECT["project"]["dependencies"],
        *filter(lambda x: isinstance(x, str), PROJECT["dependency-groups"]["dev"]),
    ],
}


def lock_of(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text()


def pinned(name: str) -> dict[str, str]:
    return {
        canonicalize_name(found[0]): found[1]
        for found in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", lock_of(name), re.MULTILINE)
    }


@pytest.mark.parametrize("name", GROUPS)
def test_a_lock_pins_everything_that_the_project_asks_for(name: str) -> None:
    versions = pinned(name)
    asked = {canonicalize_name(one.name): one.specifier for one in map(Requirement, GROUPS[name])}
    assert asked.keys() - versions.keys() == set()
    assert [one for one, specifier in asked.items() if not specifier.contains(versions[one])] == []


def test_every_environment_has_the_very_versions_that_are_shipped() -> None:
    shipped = pinned("runtime") | pinned("build")
    assert {name: version for name, version in pinned("dev").items() if name in shipped} == shipped


@pytest.mark.parametrize("name", GROUPS)
def test_a_lock_has_hashes_and_names_no_host_and_no_folder(name: str) -> None:
    lines = [line for line in lock_of(name).splitlines() if line and not line.lstrip().startswith("#")]
    odd = [
        line
        for line in lines
        if not re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==\S+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line)
    ]
    assert odd == []
    assert all(lines[at + 1].startswith("    --hash=") for at, line in enumerate(lines) if line[0] != " ")
