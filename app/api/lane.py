"""The hot operations, answered ahead of the framework's routing: asking about a move, and a CRM's deliveries."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from starlette.types import Receive, Scope

from app.api import crm_questions, validate_transition, veto, webhooks
from app.api.context import Services
from app.api.problems import Reply


class Lane(NamedTuple):
    """One hot operation: the path of its route, and its whole answer."""

    path: str
    answer: Callable[[Services, Scope, Receive, Mapping[str, str]], Awaitable[Reply]]


_VALIDATE = Lane(validate_transition.PATH, validate_transition.fast_lane)
_ASK = Lane(validate_transition.PATH, crm_questions.fast_lane)
_RECEIVE = Lane(webhooks.PATH, webhooks.fast_lane)
_VETO = Lane(veto.PATH, veto.fast_lane)


def lane_of(scope: Scope) -> Lane | None:
    """The lane of a request; None for one that goes the ordinary way."""
    if scope["method"] != "POST":
        return None
    path: str = scope["path"]
    if path == validate_transition.PATH:
        return _ASK if crm_questions.is_asked(scope) else _VALIDATE
    if webhooks.connection_in(path):
        return _RECEIVE
    return _VETO if veto.vetoed_in(path) else None
