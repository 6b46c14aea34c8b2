"""Fuzz one reader (`python -m fuzz hubspot`), or each in turn: whatever comes in, it is read or refused, never more.

`--runs` is how often each one runs. It ends with 1 and the input that did it when a reader lets anything else out.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import atheris

RUNS = 1_000_000
LONGEST = 4096  # bytes of an input
PATIENCE = 3600  # seconds that one reader may take


def main() -> int:
    """Each reader in a process of its own: libFuzzer ends the process that it runs in."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("reader", nargs="?")
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    return _each(options.runs) if options.reader is None else _fuzz(options.reader, options.runs)


def _each(runs: int) -> int:
    from fuzz.readers import READERS

    for name in sorted(READERS):
        begun = time.monotonic()
        command = [sys.executable, "-m", "fuzz", name, "--runs", str(runs)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
        print(
            f"{name:24} {runs:>9} runs {time.monotonic() - begun:7.1f} s  {'ok' if done.returncode == 0 else 'FAILED'}"
        )
        sys.stdout.flush()
        if done.returncode != 0:
            print(done.stdout[-2000:], done.stderr[-6000:], sep="\n")
            return 1
    return 0


def _fuzz(name: str, runs: int) -> int:
    with atheris.instrument_imports(include=["app.crm", "app.safe_json"]):
        from fuzz.readers import READERS, SEEDS
    reader: Callable[[bytes], None] = READERS[name]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS.get(name, [])):
            (Path(folder) / str(number)).write_bytes(seed)
        arguments = [sys.argv[0], f"-runs={runs}", f"-max_len={LONGEST}", "-timeout=10", "-rss_limit_mb=2048", folder]
        atheris.Setup(arguments, reader)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
