"""`stagerail serve` in a process of its own, for tests that kill it or run several on one database."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import httpx

from tests.crm.world import KEY


class Server:
    """`stagerail serve` in a process of its own."""

    def __init__(self, database_url: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("STAGERAIL_")} | {
            "STAGERAIL_DATABASE_URL": database_url,
            "STAGERAIL_ENCRYPTION_KEY": KEY,
            "STAGERAIL_PORT": str(self.port),
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, and wait until it is ready."""
        command = Path(sys.executable).with_name("stagerail")
        self._process = await asyncio.create_subprocess_exec(
            command, "serve", cwd=self._folder, env=self._environ, stderr=asyncio.subprocess.DEVNULL
        )
        async with httpx.AsyncClient() as client:
            for _ in range(1200):
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.address}/health/ready")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError("the server does not start")

    async def end(self, number: signal.Signals) -> None:
        """Send a signal, and wait until the process is gone."""
        assert self._process is not None
        self._process.send_signal(number)
        await self._process.wait()
