"""`make bench`: measure, and print each figure beside its bar. `--strict` fails on a bar that is missed."""

import argparse
import sys

from bench import deliveries, engine, http, insights, outbox, postgresql, start, veto

PARTS = {
    "engine": engine.rows,
    "http": http.rows,
    "postgresql": postgresql.rows,
    "deliveries": deliveries.rows,
    "outbox": outbox.rows,
    "veto": veto.rows,
    "start": start.rows,
    "insights": insights.rows,
}


def main() -> int:
    """Measure what was asked for, all if nothing was."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the speed against floors.")
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a bar is missed")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    missed = 0
    for part in options.parts or PARTS:
        for row in PARTS[part]():
            print(row.line(), flush=True)
            missed += not row.holds
    return 1 if missed and options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
