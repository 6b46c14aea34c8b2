"""The processes that ship with the product, to begin from. `b2b-saas` is the demo's and not among them."""

import json
from pathlib import Path

KEYS = ("crawl", "walk", "run", "seven-steps", "small-ticket-inbound")
"""In the order in which they are shown."""

_FOLDER = Path(__file__).parent


def read_starter(key: str) -> bytes:
    """The file of a starter, with its comments. INVARIANT: `key` is one of KEYS."""
    return (_FOLDER / f"{key}.yaml").read_bytes()


def read_cases(key: str, process_file: str) -> bytes:
    """The cases of a starter, for a process file of this name beside them. INVARIANT: `key` is one of KEYS."""
    cases = (_FOLDER / f"{key}.cases.yaml").read_bytes()
    return cases.replace(f"process: {key}.yaml\n".encode(), f"process: {json.dumps(process_file)}\n".encode(), 1)
