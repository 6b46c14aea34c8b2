"""What the demo says once it listens: its key, and lines to paste."""

from app.cli.demo import DemoFolder
from app.cli.terminal import Terminal
from app.settings import Settings


def what_to_try(settings: Settings, key: str, folder: DemoFolder, terminal: Terminal) -> list[str]:
    """The lines, in the caller's language."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{settings.port}"
    bearer = f'-H "Authorization: Bearer {key}"'
    question = """-H "Content-Type: application/json" -d '{"deal_id": "aurora", "to": "demo_completed"}'"""
    tries = {
        "may_it_move": f"curl -s {url}/validate-transition {bearer} {question}",
        "what_next": f"curl -s {url}/deals/aurora/next-activities {bearer}",
        "every_move": f"curl -s {url}/deals/elba/moves {bearer}",
    }
    lines = ["", terminal.paint(terminal.text("cli.demo.serving", url=url), "bold"), ""]
    lines += [terminal.text("cli.demo.key", file=folder.key_file), f"  {key}", ""]
    for number, (name, command) in enumerate(tries.items(), 1):
        lines += [f"{number}. " + terminal.text(f"cli.demo.{name}"), f"  {command}", ""]
    return [*lines, terminal.text("cli.demo.docs", url=f"{url}/docs"), terminal.text("cli.demo.stop"), ""]
