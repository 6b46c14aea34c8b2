"""From the command to the first answer, and what the server then holds in memory."""

import tempfile
import time
from pathlib import Path

from bench import product, servers
from bench.report import Row

_STARTS = 5
_IDLE = 0.5


def rows() -> list[Row]:
    """Start the server several times on a database that is up to date."""
    with tempfile.TemporaryDirectory(prefix="stagerail-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        product.prepared(url)
        taken = [_start(url) for _ in range(_STARTS)]
    return [
        Row("start to ready, database migrated, best of five", min(seconds for seconds, _ in taken), "s", at_most=2),
        Row("resident memory, idle, one worker", max(held for _, held in taken), "MiB", at_most=120),
    ]


def _start(url: str) -> tuple[float, float]:
    """Seconds until ready; MiB a moment later."""
    port = servers.free_port()
    begun = time.perf_counter()
    with servers.running(*servers.serve(url, port)) as process:
        servers.wait_until_ready(process, port, "/health/ready")
        taken = time.perf_counter() - begun
        time.sleep(_IDLE)
        return taken, _resident(process.pid)


def _resident(pid: int) -> float:
    """MiB, as Linux counts them."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
