"""Decisions over HTTP, on SQLite: 32 connections, one worker, against a typed FastAPI endpoint that does nothing."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import product, samples, servers
from bench.load import Target
from bench.report import Row
from bench.rotation import median, ratio, rounds

PATH = "/validate-transition"


def rows() -> Iterator[Row]:
    """Measure both bars on SQLite."""
    with _sqlite() as (port, key), servers.floor("typed") as bare:
        asked = {"authorization": f"Bearer {key}"}
        targets = {
            "floor": Target(bare, "/floor", samples.body(dry_run=True), {}),
            "inline": Target(port, PATH, samples.body(dry_run=True), asked),
            "stored": Target(port, PATH, samples.stored_body("D-1"), asked),
        }
        measured = rounds(targets)
    yield Row("floor: a typed FastAPI endpoint that does nothing", median(measured, "floor"), "/s")
    yield Row("validate, inline deal, dry run", median(measured, "inline"), "/s")
    yield Row("validate, inline deal, dry run, to the floor", ratio(measured, "inline", "floor"), "x", at_least=1.2)
    yield Row("validate, stored deal, logged, SQLite", median(measured, "stored"), "/s")
    yield Row(
        "validate, stored deal, logged, SQLite, to the floor", ratio(measured, "stored", "floor"), "x", at_least=0.7
    )


@contextmanager
def _sqlite() -> Iterator[tuple[int, str]]:
    with tempfile.TemporaryDirectory(prefix="stagerail-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        key = product.prepared(url)
        with servers.stagerail(url) as port:
            product.fill(port, key)
            yield port, key
