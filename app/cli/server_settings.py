"""The settings of the server, for the verbs that speak to its database; what is wrong with them in one line each."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.refusals import Refusal
from app.cli.terminal import Terminal
from app.settings import Settings, SettingsError

if TYPE_CHECKING:
    from app.store.database import Database

DATA_DIR = "STAGERAIL_DATA_DIR"
MIGRATE_ON_START = "STAGERAIL_MIGRATE_ON_START"
_YES, _NO = ("true", "1", "yes", "on"), ("", "false", "0", "no", "off")


def read_settings(terminal: Terminal, **overrides: object) -> Settings:
    """Read STAGERAIL_* variables, the command line winning; every setting that is refused gets its own line."""
    try:
        return Settings.from_env(os.environ, **overrides)
    except SettingsError as refused:
        said = [
            terminal.text(problem.code, **problem.params) if terminal.has(problem.code) else problem.sentence
            for problem in refused.problems
        ]
        raise Refusal("cli.settings", problems="; ".join(said)) from refused


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where the demo keeps its key: STAGERAIL_DATA_DIR, `.stagerail` if not said."""
    return Path(environ.get(DATA_DIR) or ".stagerail")


def migrates_on_start(environ: Mapping[str, str]) -> bool:
    """Whether `serve` may change the schema by itself (STAGERAIL_MIGRATE_ON_START)."""
    said = environ.get(MIGRATE_ON_START, "").strip().lower()
    if said not in (*_YES, *_NO):
        raise Refusal("cli.yes_or_no", variable=MIGRATE_ON_START)
    return said in _YES


@contextmanager
def store_refusals() -> Iterator[None]:
    """What the store cannot do is one sentence, not a traceback."""
    from app.store.errors import CannotOpen, DatabaseDown, InUse, StoreError

    try:
        yield
    except InUse as error:
        raise Refusal("cli.database_locked") from error
    except CannotOpen as error:
        raise Refusal("cli.cannot_open", reason=error) from error
    except DatabaseDown as error:
        raise Refusal("cli.database_down", reason=error) from error
    except StoreError as error:
        raise Refusal("cli.database_failed", reason=error) from error


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator["Database"]:
    """The database, which must be up to date."""
    from app.store.database import open_database
    from app.store.migrate import pending

    if pending(settings.database_url):
        raise Refusal("cli.migrations_pending")
    database = open_database(settings.database_url)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()
