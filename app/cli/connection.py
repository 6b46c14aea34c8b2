"""`stagerail connection …`: the connections of a server, listed, shown, put, deleted; drafted and tried beforehand."""

import json
import os
from argparse import Namespace
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from urllib.request import Request

from app.cli.files import named, read_bytes, read_document
from app.cli.parser import DEFAULT_URL
from app.cli.publish import api_key, refused, send, server_address
from app.cli.refusals import Refusal
from app.cli.terminal import Terminal

_GOOD = 300
_MOST_PAGES = 1000
_TOLD = frozenset(
    {"id", "secret_set", "previous_secret_until", "access_set", "webhook", "created_at", "updated_at", "warnings"}
)


class _Server:
    """A server, spoken to with a key."""

    def __init__(self, options: Namespace, terminal: Terminal) -> None:
        self._url = server_address(options.url or os.environ.get("STAGERAIL_URL") or DEFAULT_URL)
        self._headers = {
            "Authorization": f"Bearer {api_key(options.key)}",
            "Content-Type": "application/json",
            "Accept-Language": terminal.locale,
        }

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request, and its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, self._headers, method=method)  # noqa: S310 - the scheme was checked
        return send(request, self._url)


def run(options: Namespace, terminal: Terminal) -> int:
    """Do what was asked for; a refusal of the server is told in its words."""
    status, answer = _ACTIONS[options.action](_Server(options, terminal), options, terminal)
    if terminal.json:
        terminal.data(answer)
    elif status >= _GOOD:
        refused(answer, terminal)
        for error in answer.get("errors") or []:
            terminal.note(f"  {error.get('place')}: {error.get('message')}")
    else:
        _SHOWN[options.action](answer, options, terminal)
    if options.action == "try" and status < _GOOD:
        return int(any(one.get("outcome") == "blocked" for one in answer.get("decisions", [])))
    return 0 if status < _GOOD else 1


def _path(options: Namespace) -> str:
    return f"/connections/{quote(options.id, safe='')}"


def _list(server: _Server, _options: Namespace, _terminal: Terminal) -> tuple[int, Any]:
    """Every page of them, as one."""
    status, answer = server.ask("GET", "/connections?limit=200")
    items = list(answer.get("items", []))
    for _ in range(_MOST_PAGES):
        if status >= _GOOD or not answer.get("next_cursor"):
            break
        status, answer = server.ask("GET", f"/connections?limit=200&cursor={quote(answer['next_cursor'])}")
        items += answer.get("items", [])
    return status, answer if status >= _GOOD else {"items": items, "next_cursor": None}


def _show(server: _Server, options: Namespace, _terminal: Terminal) -> tuple[int, Any]:
    return server.ask("GET", _path(options))


def _put(server: _Server, options: Namespace, terminal: Terminal) -> tuple[int, Any]:
    """The settings of a file; what is secret may come from files of its own, so that the mapping can be shared.

    The file may be what `show` has printed: what the server tells of a connection beside its settings is left out.
    """
    settings = {name: value for name, value in _read(options.file, terminal).items() if name not in _TOLD}
    if options.secret_file is not None:
        settings["secret"] = read_bytes(options.secret_file).decode("utf-8", "replace").strip()
    if options.access_file is not None:
        settings["access"] = _read(options.access_file, terminal)
    if options.overlap is not None:
        settings["secret_overlap"] = options.overlap
    return server.ask("PUT", _path(options), settings)


def _delete(server: _Server, options: Namespace, _terminal: Terminal) -> tuple[int, Any]:
    return server.ask("DELETE", _path(options))


def _draft(server: _Server, options: Namespace, terminal: Terminal) -> tuple[int, Any]:
    asked: dict[str, Any] = {"process": options.process}
    for name in ("crm", "connection", "api_url"):
        if getattr(options, name) is not None:
            asked[name] = getattr(options, name)
    if options.configuration is not None:
        asked["configuration"] = _read(options.configuration, terminal)
    if options.access_file is not None:
        asked["access"] = _read(options.access_file, terminal)
    return server.ask("POST", "/connection-drafts", asked)


def _try(server: _Server, options: Namespace, _terminal: Terminal) -> tuple[int, Any]:
    """The file goes along as it is, to the byte where it is text."""
    try:
        delivery = read_bytes(options.file).decode()
    except UnicodeDecodeError as error:
        raise Refusal("cli.no_text", file=named(options.file)) from error
    return server.ask("POST", f"{_path(options)}/try", {"delivery": delivery})


def _read(file: str, terminal: Terminal) -> dict[str, Any]:
    """YAML or JSON that holds an object."""
    plain = read_document(file, terminal).root.plain()
    if not isinstance(plain, dict):
        raise Refusal("cli.no_object", file=named(file))
    return plain


def _listed(answer: Any, _options: Namespace, terminal: Terminal) -> None:
    for one in answer["items"]:
        processes = ", ".join(dict.fromkeys(pipeline["process"] for pipeline in one["pipelines"].values()))
        terminal.line(f"{one['id']}  {one['crm']}  {processes}  {one['webhook']}")


def _shown(answer: Any, _options: Namespace, terminal: Terminal) -> None:
    terminal.data({name: value for name, value in answer.items() if name != "warnings"})
    _warn(answer, terminal)


def _stored(answer: Any, options: Namespace, terminal: Terminal) -> None:
    terminal.line(
        terminal.marked("allowed", terminal.text("cli.connection_put", id=options.id, hook=answer["webhook"]))
    )
    _warn(answer, terminal)


def _deleted(_answer: Any, options: Namespace, terminal: Terminal) -> None:
    terminal.line(terminal.marked("allowed", terminal.text("cli.connection_deleted", id=options.id)))


def _drafted(answer: Any, _options: Namespace, terminal: Terminal) -> None:
    """The settings alone on standard output, so that they can be kept in a file."""
    terminal.data(answer["settings"])
    for one in answer["left"]:
        terminal.note(terminal.text("cli.connection_left", place=one["place"], label=one["label"]))


def _tried(answer: Any, _options: Namespace, terminal: Terminal) -> None:
    for one in answer["events"]:
        said = "" if one["name"] is None else f" {one['name']}: {one['value']}"
        terminal.line(f"{one['at']}  {one['deal_id']}  {one['kind']}{said}")
    for one in answer["faults"]:
        terminal.line(
            terminal.marked("warn", terminal.text("cli.connection_fault", place=one["event"], reason=one["reason"]))
        )
    for one in answer["decisions"]:
        terminal.line(terminal.marked(one["outcome"], f"{one['deal_id']}  {one['from'] or '…'} → {one['to'] or '…'}"))
        for finding in one["findings"]:
            terminal.line("    " + terminal.marked(finding["severity"], finding["message"]))
    told = {"events": len(answer["events"]), "ignored": answer["ignored"], "decisions": len(answer["decisions"])}
    terminal.line(terminal.text("cli.connection_tried", **told))


def _warn(answer: Any, terminal: Terminal) -> None:
    for one in answer.get("warnings") or []:
        terminal.note(terminal.marked("warn", f"{one['place']}: {one['message']}"))


_ACTIONS: dict[str, Callable[[_Server, Namespace, Terminal], tuple[int, Any]]] = {
    "list": _list,
    "show": _show,
    "put": _put,
    "delete": _delete,
    "draft": _draft,
    "try": _try,
}
_SHOWN: dict[str, Callable[[Any, Namespace, Terminal], None]] = {
    "list": _listed,
    "show": _shown,
    "put": _stored,
    "delete": _deleted,
    "draft": _drafted,
    "try": _tried,
}
