"""What the OpenAPI document says of each operation beside its models: answers with examples, scopes, headers."""

from typing import Any

from app.api.problems import STATUS, TYPES
from app.api.replies import ProblemReply
from app.api.routing import needs
from app.i18n import render_problem

Responses = dict[int | str, dict[str, Any]]

EVERYWHERE = ("unauthorized", "forbidden", "invalid-request", "internal-error", "database-unavailable")
WITH_BODY = ("malformed-json", "body-too-large", "unsupported-media-type", "request-timeout")

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Send the same key with the same request again, and get the same answer: the write happens once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
}
_ACCEPT_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "`en` or `it`: the language of texts. Codes and figures never change with it.",
    "schema": {"type": "string"},
    "example": "it",
}
_SAMPLE = {
    "scope": "decide", "path": "/nowhere", "process": "b2b-saas", "version": 9, "deal": "D-404", "stage": "demo",
    "known": ["new", "won", "lost"], "decision": "0199", "connection": "hubspot", "delivery": "0199", "activity": "a-1",
    "method": "PATCH", "allowed": ["GET"], "limit": 1048576, "found": "text/plain", "reason": "this is not valid JSON",
    "count": 1, "expected": "new", "minutes": 5, "seconds": 15, "request_id": "4f0c", "cursor": "x",
    "starter": "sprint", "endpoint": "crm-team", "item": "0199", "status": "done",
    "sync": "0199", "reasons": "Hold the demo and log it as held (no demo held; 1 needed)",
}  # fmt: skip


def operation(scope: str | None, *, idempotent: bool = False) -> dict[str, Any]:
    """The `openapi_extra` of an operation: its scope, and the headers it understands."""
    headers = [_ACCEPT_LANGUAGE, *([_IDEMPOTENCY_KEY] if idempotent else [])]
    return {**needs(scope), "parameters": headers}


def public() -> dict[str, Any]:
    """The `openapi_extra` of an operation that needs no key."""
    return {"security": []}


def problem_example(kind: str) -> dict[str, Any]:
    """How a problem looks, in English."""
    return {"type": TYPES + kind, **render_problem(kind, "en", **_SAMPLE), "status": STATUS[kind]}


def answers(status: int, model: Any, example: Any, *kinds: str, body: bool = True) -> Responses:
    """The good answer with its example, and every problem that the operation can give."""
    found: Responses = {status: good(model, example)}
    for kind in (*EVERYWHERE, *(WITH_BODY if body else ()), *kinds):
        entry = found.setdefault(STATUS[kind], _problem())
        entry["content"]["application/problem+json"]["examples"][kind] = {"value": problem_example(kind)}
    for entry in found.values():
        examples = entry["content"].get("application/problem+json", {}).get("examples", {})
        if examples:
            entry["description"] = "; ".join(str(one["value"]["title"]) for one in examples.values())
    return found


def good(model: Any, example: Any) -> dict[str, Any]:
    """A good answer."""
    return {"model": model, "description": "The answer", "content": {"application/json": {"example": _kept(example)}}}


_KEPT: list[Any] = []
_MARK = "@example:"


def _kept(example: Any) -> str:
    """A mark in the place of an example: the framework would leave every null out of it."""
    _KEPT.append(example)
    return f"{_MARK}{len(_KEPT) - 1}"


def _put_back(content: dict[str, Any]) -> None:
    mark = content.get("example")
    if isinstance(mark, str) and mark.startswith(_MARK):
        content["example"] = _KEPT[int(mark.removeprefix(_MARK))]


def _problem() -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/ProblemReply"}
    return {"description": "", "content": {"application/problem+json": {"schema": reference, "examples": {}}}}


def finish(document: dict[str, Any]) -> dict[str, Any]:
    """The last touches: the key in both its forms, the problem's schema, and no answers of the framework's own."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = ProblemReply.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**problem.pop("$defs", {}), "ProblemReply": problem}
    for leftover in ("HTTPValidationError", "ValidationError"):
        schemas.pop(leftover, None)
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "`srl_<id>_<secret>`, made by `stagerail key create`",
        },
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    document["security"] = [{"bearer": []}, {"api_key": []}]
    for path in document["paths"].values():
        for one in path.values():
            for response in list(one["responses"]):
                for media in one["responses"][response].get("content", {}).values():
                    _put_back(media)
                content = one["responses"][response].get("content", {}).get("application/json", {})
                if content.get("schema", {}).get("$ref", "").endswith("HTTPValidationError"):
                    del one["responses"][response]
    return document
