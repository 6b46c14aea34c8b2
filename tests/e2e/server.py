"""`stagerail serve` in a process of its own, to be killed and started again on the same database."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import httpx


class Server:
    """The real server on a port of its own."""

    def __init__(self, database_url: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STAGERAIL_")}
        self._environ = kept | {"STAGERAIL_DATABASE_URL": database_url, "STAGERAIL_PORT": str(port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, and wait until it is ready."""
        command = Path(sys.executable).with_name("stagerail")
        self._process = await asyncio.create_subprocess_exec(
            command, "serve", cwd=self._folder, env=self._environ, stderr=asyncio.subprocess.DEVNULL
        )
        async with httpx.AsyncClient(timeout=2) as client:
            for _ in range(2400):
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.address}/health/ready")).status_code == 200:
                        return
                await asyncio.sleep(0.025)
        raise AssertionError("the server does not start")

    async def end(self, number: signal.Signals) -> None:
        """Send a signal to this very process, and wait until it has gone."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(number)
            await process.wait()
