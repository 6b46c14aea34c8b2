"""`stagerail serve`: run the HTTP interface until it is told to stop. With `--demo`, with something to try."""

import asyncio
import errno
import gc
import logging
import os
import signal
from argparse import Namespace
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import uvicorn
from pydantic import SecretStr

from app import clock, logs
from app.cli.demo import DemoFolder, prepare_demo
from app.cli.hello import what_to_try
from app.cli.refusals import Refusal
from app.cli.server_settings import data_folder, migrates_on_start, read_settings, store_refusals
from app.cli.terminal import Terminal
from app.settings import Settings

if TYPE_CHECKING:
    from socket import socket

GRACE = 10  # seconds for requests under way once it is told to stop
KEEP_ALIVE = 75  # seconds; longer than the proxies in front, so that none of them writes to a closed connection

_log = logs.get_logger(__name__)


def run(options: Namespace, terminal: Terminal) -> int:
    """Start in an order that tells the likeliest mistakes first: settings, the port, the database."""
    settings = read_settings(terminal, demo=options.demo, host=options.host, port=options.port)
    on_start = settings.demo or migrates_on_start(os.environ)
    logs.configure(settings.log_level, settings.log_format)
    folder = DemoFolder(data_folder(os.environ)) if settings.demo else None
    if folder is not None and settings.encryption_key is None:
        settings = settings.model_copy(update={"encryption_key": SecretStr(folder.encryption_key())})
    server = _Server(_configured(settings))
    listening = _listen(server.config)
    with store_refusals():
        _migrate(settings, on_start=on_start)
        hello = asyncio.run(_prepare(settings, folder, terminal))
    server.say_hello = lambda: _say_hello(settings, hello, terminal)
    _stop_quietly()
    server.run(sockets=[listening])
    return 0 if server.started else 2


def _configured(settings: Settings) -> uvicorn.Config:
    from app.cli.one_write import OneWrite
    from app.main import create_app

    return uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=OneWrite,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )


class _Server(uvicorn.Server):
    """Uvicorn, saying hello once it listens."""

    say_hello: Callable[[], None]

    async def startup(self, sockets: "list[socket] | None" = None) -> None:
        """What was loaded by now stays for good: the collector need not look at it again and again."""
        await super().startup(sockets=sockets)
        if self.started:
            gc.collect()
            gc.freeze()
            self.say_hello()


def _listen(config: uvicorn.Config) -> "socket":
    """Take the port now, before anything is prepared. Uvicorn logs why it cannot and exits; one sentence is enough."""
    logger = logging.getLogger("uvicorn.error")
    logger.disabled = True
    try:
        return config.bind_socket()
    except SystemExit as stop:
        raise _cannot_listen(config, stop.__context__) from stop
    finally:
        logger.disabled = False


def _cannot_listen(config: uvicorn.Config, error: BaseException | None) -> Refusal:
    where = {"host": config.host, "port": config.port}
    if not isinstance(error, OSError):
        return Refusal("cli.cannot_listen", **where, reason=error)
    if error.errno == errno.EADDRINUSE:
        return Refusal("cli.port_taken", **where)
    return Refusal("cli.cannot_listen", **where, reason=(error.strerror or str(error)).lower())


def _migrate(settings: Settings, *, on_start: bool) -> None:
    from app.store.migrate import migrate, pending

    if not pending(settings.database_url):
        return
    if not on_start:
        raise Refusal("cli.migrations_pending")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells about its own plugins
    migrate(settings.database_url)
    _log.info("database_migrated")


async def _prepare(settings: Settings, folder: DemoFolder | None, terminal: Terminal) -> list[str]:
    """Open the database once, so that what is wrong with it is one sentence; in the demo, fill it. What to say."""
    from app.store.database import open_database

    database = open_database(settings.database_url)
    await database.start()
    try:
        if folder is None:
            return []
        secret = settings.encryption_key
        encryption_key = None if secret is None else secret.get_secret_value()
        key = await prepare_demo(database, folder, encryption_key, clock.now())
    finally:
        await database.stop()
    return what_to_try(settings, key, folder, terminal)


def _say_hello(settings: Settings, hello: list[str], terminal: Terminal) -> None:
    _log.info("serving", host=settings.host, port=settings.port, demo=settings.demo)
    for line in hello:
        terminal.line(line)
    terminal.flush()


def _stop_quietly() -> None:
    """Being told to stop is no failure: uvicorn finishes, gives the signal back, and we exit with 0."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
