"""The arguments of every verb, explained in the caller's language; argparse's own sentences included."""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from app.cli.terminal import Terminal
from app.i18n import LOCALES, Locale

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_TENANT = "default"
SCOPES = ("decide", "deals:write", "processes:write", "admin")
FORMATS = ("mermaid", "svg", "json")
VIEWS = ("seller", "buyer")

# What argparse says, by the English it looks up: the rest of its sentences stays English.
_ARGPARSE = {
    "usage: ": "cli.usage.usage",
    "positional arguments": "cli.usage.positional",
    "options": "cli.usage.options",
    "show this help message and exit": "cli.usage.help",
    "show program's version number and exit": "cli.usage.version",
    "the following arguments are required: %s": "cli.usage.required",
    "unrecognized arguments: %s": "cli.usage.unrecognized",
    "argument %(argument_name)s: %(message)s": "cli.usage.argument",
    "expected one argument": "cli.usage.one_argument",
    "expected at least one argument": "cli.usage.at_least_one",
    "invalid %(type)s value: %(value)r": "cli.usage.bad_value",
    "invalid choice: %(value)r (choose from %(choices)s)": "cli.usage.bad_choice",
    "%(prog)s: error: %(message)s\n": "cli.usage.error",
}


def wanted_language(arguments: Sequence[str], environ: Mapping[str, str]) -> Locale:
    """`--lang`, else STAGERAIL_LANG, else the machine's own; English for a language that we do not speak."""
    said = [after for before, after in itertools.pairwise(arguments) if before == "--lang"]
    said += [argument.removeprefix("--lang=") for argument in arguments if argument.startswith("--lang=")]
    said += [environ.get(name, "") for name in ("STAGERAIL_LANG", "LC_ALL", "LC_MESSAGES", "LANG")]
    first = next((one for one in said if one), "")
    return "it" if first.lower().startswith("it") else "en"


def build_parser(terminal: Terminal) -> argparse.ArgumentParser:
    """All verbs and what they take."""
    _speak(terminal)
    help_of = _Help(terminal)
    parser = argparse.ArgumentParser(prog="stagerail", description=terminal.text("cli.about"), allow_abbrev=False)
    _common(parser, help_of, top=True)
    verbs = parser.add_subparsers(metavar="VERB", required=True, dest="verb")
    for add in (
        _serve,
        _check,
        _decide,
        _suggest,
        _test,
        _graph,
        _schema,
        _migrate,
        _reencrypt,
        _key,
        _publish,
        _starters,
        _init,
        _assess,
        _sync,
        _connection,
    ):
        add(verbs, help_of)
    return parser


def _speak(terminal: Terminal) -> None:
    """Give argparse our catalogue: it asks a function of its module for every sentence it says."""

    def translate(message: str) -> str:
        code = _ARGPARSE.get(message)
        if code is None:
            return message
        return terminal.text(code) + message[len(message.rstrip()) :]  # the catalogue keeps no space at the end

    vars(argparse).update(_=translate)


class _Help:
    """Texts of the help by their short names."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def __call__(self, name: str) -> str:
        return self._terminal.text(f"cli.help.{name}").replace("%", "%%")


Verbs = Any
"""What `add_subparsers` returns; argparse keeps the name of its type to itself."""


def _common(parser: argparse.ArgumentParser, help_of: _Help, *, top: bool = False) -> None:
    """Options that may stand before and behind the verb; behind it, they are silent about defaults."""
    default: Any = None if top else argparse.SUPPRESS
    parser.add_argument("--lang", choices=LOCALES, default=default, help=help_of("lang"))
    parser.add_argument(
        "--json", action="store_true", default=False if top else argparse.SUPPRESS, help=help_of("json")
    )
    if top:
        from app import __version__

        parser.add_argument("--version", action="version", version=f"stagerail {__version__}")


def _verb(verbs: Verbs, name: str, help_of: _Help, *, module: str | None = None) -> Any:
    said = help_of(name if module is None else f"{module}_{name}")
    parser = verbs.add_parser(name, help=said, description=said[:1].upper() + said[1:], allow_abbrev=False)
    parser.set_defaults(module=module or name)
    _common(parser, help_of)
    return parser


def _serve(verbs: Verbs, help_of: _Help) -> None:
    parser = _verb(verbs, "serve", help_of)
    parser.add_argument("--demo", action="store_true", default=None, help=help_of("demo"))
    parser.add_argument("--host", help=help_of("host"))
    parser.add_argument("--port", help=help_of("port"))


def _check(verbs: Verbs, help_of: _Help) -> None:
    _file(_verb(verbs, "check", help_of), help_of)


def _file(parser: argparse.ArgumentParser, help_of: _Help) -> None:
    parser.add_argument("file", metavar="FILE", help=help_of("file"))


def _deal(parser: argparse.ArgumentParser, help_of: _Help) -> None:
    _file(parser, help_of)
    parser.add_argument("deal", metavar="DEAL.json", help=help_of("deal"))
    parser.add_argument("--as-of", metavar="T", help=help_of("as_of"))
    parser.add_argument("--actor", metavar="ID", help=help_of("actor"))
    parser.add_argument("--role", metavar="ROLE", action="append", default=[], help=help_of("role"))


def _decide(verbs: Verbs, help_of: _Help) -> None:
    parser = _verb(verbs, "decide", help_of)
    _deal(parser, help_of)
    parser.add_argument("--to", metavar="STAGE", required=True, help=help_of("to"))


def _suggest(verbs: Verbs, help_of: _Help) -> None:
    parser = _verb(verbs, "suggest", help_of)
    _deal(parser, help_of)
    parser.add_argument("--goal", metavar="STAGE", help=help_of("goal"))
    parser.add_argument("--limit", metavar="N", type=_limit, default=5, help=help_of("limit"))
    parser.add_argument("--detail", choices=("brief", "full"), default="full", help=help_of("detail"))


def _limit(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 100:  # noqa: PLR2004 - as over HTTP
        raise ValueError
    return number


_limit.__name__ = "number"


def _test(verbs: Verbs, help_of: _Help) -> None:
    _verb(verbs, "test", help_of).add_argument("files", metavar="FILE", nargs="+", help=help_of("cases"))


def _graph(verbs: Verbs, help_of: _Help) -> None:
    parser = _verb(verbs, "graph", help_of)
    _file(parser, help_of)
    parser.add_argument("--format", choices=FORMATS, default=None, help=help_of("format"))
    parser.add_argument("--view", choices=VIEWS, default="seller", help=help_of("view"))


def _schema(verbs: Verbs, help_of: _Help) -> None:
    _verb(verbs, "schema", help_of)


def _migrate(verbs: Verbs, help_of: _Help) -> None:
    _verb(verbs, "migrate", help_of)


def _reencrypt(verbs: Verbs, help_of: _Help) -> None:
    _verb(verbs, "reencrypt", help_of)


def _key(verbs: Verbs, help_of: _Help) -> None:
    said = help_of("key")
    parser = verbs.add_parser("key", help=said, description=said[:1].upper() + said[1:], allow_abbrev=False)
    _common(parser, help_of)
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    create = _key_action(actions, "create", help_of)
    create.add_argument("--scope", action="append", choices=SCOPES, default=[], help=help_of("scope"))
    create.add_argument("--name", default="", help=help_of("name"))
    _key_action(actions, "list", help_of)
    _key_action(actions, "revoke", help_of).add_argument("id", metavar="ID", help=help_of("key_id"))


def _key_action(actions: Verbs, name: str, help_of: _Help) -> Any:
    parser = _verb(actions, name, help_of, module="key")
    parser.add_argument("--tenant", metavar="ID", default=DEFAULT_TENANT, help=help_of("tenant"))
    return parser


def _publish(verbs: Verbs, help_of: _Help) -> None:
    parser = _verb(verbs, "publish", help_of)
    _file(parser, help_of)
    _server(parser, help_of)


def _server(parser: argparse.ArgumentParser, help_of: _Help) -> None:
    parser.add_argument("--url", help=help_of("server"))
    parser.add_argument("--key", help=help_of("api_key"))


def _starters(verbs: Verbs, help_of: _Help) -> None:
    _verb(verbs, "starters", help_of)


def _init(verbs: Verbs, help_of: _Help) -> None:
    parser = _verb(verbs, "init", help_of)
    parser.add_argument("name", metavar="NAME", help=help_of("starter"))
    parser.add_argument("--to", metavar="FILE", help=help_of("to_file"))
    parser.add_argument("--force", action="store_true", help=help_of("force"))


def _assess(verbs: Verbs, help_of: _Help) -> None:
    parser = _verb(verbs, "assess", help_of)
    parser.add_argument("file", metavar="FILE", nargs="?", help=help_of("assess_file"))
    parser.add_argument("--process", metavar="KEY", help=help_of("assess_process"))
    _server(parser, help_of)


def _sync(verbs: Verbs, help_of: _Help) -> None:
    parser = _verb(verbs, "sync", help_of)
    parser.add_argument("connection", metavar="CONNECTION", help=help_of("sync_connection"))
    parser.add_argument("--deal", metavar="ID", help=help_of("sync_deal"))
    parser.add_argument("--changed-since", metavar="T", help=help_of("sync_since"))
    _server(parser, help_of)


def _connection(verbs: Verbs, help_of: _Help) -> None:
    said = help_of("connection")
    parser = verbs.add_parser("connection", help=said, description=said[:1].upper() + said[1:], allow_abbrev=False)
    _common(parser, help_of)
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    _server(_verb(actions, "list", help_of, module="connection"), help_of)
    for name in ("show", "put", "delete", "try"):
        action = _verb(actions, name, help_of, module="connection")
        action.add_argument("id", metavar="CONNECTION", help=help_of("sync_connection"))
        if name in ("put", "try"):
            action.add_argument("file", metavar="FILE", help=help_of(f"connection_{name}_file"))
        if name == "put":
            action.add_argument("--secret-file", metavar="FILE", help=help_of("connection_secret_file"))
            action.add_argument("--overlap", metavar="TIME", help=help_of("connection_overlap"))
            action.add_argument("--access-file", metavar="FILE", help=help_of("connection_access_file"))
        _server(action, help_of)
    draft = _verb(actions, "draft", help_of, module="connection")
    draft.add_argument("crm", metavar="CRM", nargs="?", help=help_of("connection_crm"))
    draft.add_argument("--process", metavar="KEY", required=True, help=help_of("connection_process"))
    draft.add_argument("--connection", metavar="CONNECTION", help=help_of("connection_add_to"))
    draft.add_argument("--configuration", metavar="FILE", help=help_of("connection_configuration"))
    draft.add_argument("--access-file", metavar="FILE", help=help_of("connection_access_file"))
    draft.add_argument("--api-url", metavar="URL", help=help_of("connection_api_url"))
    _server(draft, help_of)
