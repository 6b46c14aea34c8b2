"""The whole OpenAPI document, asked at random: no 5xx, and no answer that the document does not foresee."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import clock
from app.api import examples
from app.services.keys import create_key
from app.store.database import open_database
from app.store.migrate import migrate
from tests.e2e.server import Server
from tests.postgres import in_thread

pytestmark = pytest.mark.e2e

EXAMPLES = 30
KNOWN = """\
[parameters]
"path.deal_id" = "D-17"
"path.activity_id" = "a-1"
"path.version" = 1
"path.key" = "b2b-saas"
"path.connection_id" = "hubspot-eu"
"path.connection" = "hubspot-eu"
"""
"""Ids that are there, so that a run also reaches what stands behind "no such deal"."""
# What is right by its schema may still be refused for what it says: a deal of a process that is not there.
NOT_ASKED = "positive_data_acceptance"


async def furnished(server: Server, database_url: str) -> str:
    """Start the server on a migrated database that holds the examples' process and deal, and give a key."""
    migrate(database_url)
    database = open_database(database_url)
    await database.start()
    key = await database.transaction(lambda tx: create_key(tx, "acme", ["admin"], "test", clock.now()))
    await database.stop()
    await server.start()
    options: dict[str, Any] = {"base_url": server.address, "headers": {"authorization": f"Bearer {key}"}}
    yaml = {"content-type": "application/yaml"}
    async with httpx.AsyncClient(**options) as client:
        for answer in (
            await client.put("/processes/b2b-saas", content=examples.PROCESS_FILE, headers=yaml),
            await client.put("/deals/D-17", json=examples.PUT_DEAL["a deal"]["value"]),
        ):
            assert answer.status_code == 201, answer.text
    return key


async def asked_at_random(database_url: str, folder: Path, config: str) -> tuple[int, str]:
    """Run schemathesis against a server of its own: its exit status, and what it says."""
    server = Server(database_url, folder)
    (folder / "schemathesis.toml").write_text(config)
    try:
        key = await furnished(server, database_url)
        command = Path(sys.executable).with_name("schemathesis")
        options = f"--max-examples {EXAMPLES} --seed 1 --phases examples,coverage,fuzzing --continue-on-failure"
        run = await asyncio.create_subprocess_exec(
            command,
            *("run", f"{server.address}/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *(*options.split(), "--exclude-checks", NOT_ASKED, "--warnings", "off"),
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await run.communicate()
        return run.returncode or 0, said.decode()
    finally:
        await server.end(signal.SIGTERM)


@pytest.mark.parametrize("config", ["", KNOWN], ids=["any id", "ids that are there"])
def test_no_request_gets_an_answer_that_the_document_does_not_foresee(
    database_url: str, tmp_path: Path, config: str
) -> None:
    status, said = in_thread(asked_at_random(database_url, tmp_path, config))
    assert status == 0, said
    assert "No issues found" in said or " passed" in said, said
