"""A stored deal's decision on PostgreSQL, against a bare route with one read and one insert through the driver."""

from collections.abc import Iterator

from bench import product, samples, servers
from bench.http import PATH
from bench.load import Target
from bench.report import Row
from bench.rotation import median, ratio, rounds
from tests.postgres import NoPostgres, execute, in_thread, postgres_server


def rows() -> Iterator[Row]:
    """Measure the bar on a new server that is as careful with the disk as in production."""
    try:
        with postgres_server(durable=True) as url:
            yield from _rows(url)
    except NoPostgres as error:
        yield Row(f"PostgreSQL: skipped, {error}", 0, "")


def _rows(url: str) -> Iterator[Row]:
    in_thread(execute(url, "CREATE DATABASE bare", "CREATE DATABASE stagerail"))
    bare, own = f"{url.rpartition('/')[0]}/bare", f"{url.rpartition('/')[0]}/stagerail"
    key = product.prepared(own)
    settings = {"BENCH_POSTGRESQL": bare, "BENCH_SNAPSHOT": samples.as_json(samples.deal()).decode()}
    with servers.stagerail(own) as port, servers.floor("postgresql", settings) as bare_port:
        product.fill(port, key)
        body = samples.stored_body("D-1")
        targets = {
            "floor": Target(bare_port, "/floor", body, {}),
            "stored": Target(port, PATH, body, {"authorization": f"Bearer {key}"}),
        }
        measured = rounds(targets)
    yield Row("floor: a bare route, one read, one insert, PostgreSQL", median(measured, "floor"), "/s")
    yield Row("validate, stored deal, logged, PostgreSQL", median(measured, "stored"), "/s")
    yield Row(
        "validate, stored deal, logged, PostgreSQL, to its floor", ratio(measured, "stored", "floor"), "x", at_least=0.8
    )
