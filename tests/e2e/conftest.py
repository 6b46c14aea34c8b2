"""The real server as `make run` starts it, and a real browser that may talk to nothing else."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the demo from an empty folder, and give its address once it is ready."""
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = Path(sys.executable).with_name("stagerail")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STAGERAIL_")} | {
        "STAGERAIL_PORT": str(port)
    }
    subprocess.run([command, "migrate"], cwd=folder, env=environ, check=True, capture_output=True)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([command, "serve", "--demo"], cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        assert _ready(server, address), (folder / "log").read_text()
        yield address
    finally:
        server.terminate()
        server.wait(timeout=15)


def _ready(server: "subprocess.Popen[bytes]", address: str) -> bool:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=2):
                return True
        except OSError:
            if server.poll() is not None:
                return False
            time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the machine's own browser; the container or the tests may run as root, where it cannot have its sandbox."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail(f"none of {', '.join(BROWSERS)} is installed")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=arguments)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, demo: str) -> Iterator[Page]:
    """Give an empty page whose every request must go to the server under test, and which must stay free of errors."""
    context = browser.new_context(base_url=demo)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url) if _leaves(request.url, demo) else None)
    yield opened
    context.close()
    assert complaints == []


def _leaves(url: str, demo: str) -> bool:
    return not url.startswith((demo, "data:", "blob:"))
