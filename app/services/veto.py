"""A CRM asks before it moves a deal, and waits: allowed, or refused. What we cannot tell, the connection decides."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from app import logs
from app.crm.adapters import ADAPTERS
from app.crm.connection import UNMAPPED
from app.crm.events import Malformed
from app.crm.secrets import NoKey, WrongKey
from app.crm.state import FROM_THE_START
from app.engine import Decision
from app.services.connection_settings import settings_of
from app.services.crm_bodies import read_body_of
from app.services.crm_questions import Answer, answer, known_deals
from app.services.deliveries import BadSignature, Request, SecretUnavailable, genuine
from app.services.processes import Processes
from app.services.refusals import Refused
from app.services.secret_overlap import secrets_of
from app.store.connections import StoredConnection
from app.store.database import Database, DatabaseDown

PATIENCE = 5.0
"""Seconds within which we must have answered: somebody waits in front of a form."""
Log = Callable[[StoredConnection, list[Answer]], Awaitable[None]]
_MOST_KNOWN = 1000
_log = logs.get_logger(__name__)


class VetoFailed(Refused):
    """We could not tell, and the connection says that then nothing moves: `connection`."""

    kind = "veto-failed"


class Vetoed(NamedTuple):
    """What was decided on every deal of the body; `failed` says that we could not tell, and let it pass."""

    connection: StoredConnection
    answers: tuple[Answer, ...] = ()
    failed: bool = False

    @property
    def allowed(self) -> bool:
        """Whether the CRM may go on: nothing that is known stands against it.

        What only facts stand against that nobody brought, the connection's `on_failure` decides.
        """
        unsure = settings_of(self.connection).on_failure == "open"
        return not any(_refuses(one.decision) or (not unsure and _cannot_tell(one)) for one in self.answers)

    @property
    def checked(self) -> bool:
        """Whether every move was judged, on all that its verdict depends on."""
        judged = all(one.decision.outcome != "not_judged" and not _cannot_tell(one) for one in self.answers)
        return judged and not self.failed


def _refuses(decision: Decision) -> bool:
    """Whether what is known of the deal stands against the move."""
    blocking = [one for one in decision.findings if one.severity == "block"]
    return bool(blocking) and (not decision.missing or any(one.code != "cannot_evaluate" for one in blocking))


def _cannot_tell(one: Answer) -> bool:
    """Whether only what nobody brought stands against the move: facts, or where a deal stands that is not new.

    A stage that the mapping does not name is nothing to the process.
    """
    decision = one.decision
    if decision.outcome == "not_judged":
        made = (event.at for event in one.known.asked if event.kind == "created")
        is_new = any(decision.as_of - at <= FROM_THE_START for at in made)
        return decision.from_stage is None and not is_new and not decision.to_stage.startswith(UNMAPPED)
    return decision.outcome == "blocked" and not _refuses(decision)


class Vetoes:
    """Answers vetoes. Remembers the connections it has seen, so that their choice is known without the database."""

    def __init__(self, database: Database, processes: Processes) -> None:
        self._database = database
        self._processes = processes
        self._known: OrderedDict[str, StoredConnection] = OrderedDict()

    async def ask(self, connection_id: str, request: Request, *, key: str | None, now: datetime, log: Log) -> Vetoed:
        """The verdict, which `log` has logged. Raises UnknownConnection and BadSignature; VetoFailed where a failure
        of ours is to refuse.
        """
        by = asyncio.get_running_loop().time() + PATIENCE
        try:
            async with asyncio.timeout_at(by):
                connection = await genuine(self._database, connection_id, request, key=key, now=now)
                self._remember(connection)
        except (DatabaseDown, SecretUnavailable, TimeoutError) as error:
            return self._failed(self._recalled(connection_id, request, key, now, error), error)
        try:
            async with asyncio.timeout_at(by):
                answers = await self._answers(connection, request, now)
                await log(connection, answers)
                return Vetoed(connection, tuple(answers))
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for an answer; it is logged
            return self._failed(connection, error)

    def _failed(self, connection: StoredConnection, error: Exception) -> Vetoed:
        """We cannot tell: what the connection has chosen for that, told in the log."""
        choice = settings_of(connection).on_failure
        code = error.code if isinstance(error, Malformed) else type(error).__name__
        expected = isinstance(error, (Malformed, DatabaseDown, SecretUnavailable, TimeoutError))
        _log.error(
            "veto_failed", connection=connection.connection_id, reason=code, choice=choice,
            exc_info=None if expected else error,
        )  # fmt: skip
        if choice == "closed":
            raise VetoFailed(connection=connection.connection_id) from error
        return Vetoed(connection, failed=True)

    async def _answers(self, connection: StoredConnection, request: Request, now: datetime) -> list[Answer]:
        """The decision on each deal that is about to move, save what we do ourselves. Raises what cannot be read."""
        if request.refused is not None:
            raise request.refused
        body = read_body_of(connection, request.body, now)
        if body.batch.faults:
            fault = body.batch.faults[0]
            raise Malformed(fault.code, **fault.params)
        known = await known_deals(self._database, self._processes, connection, body.batch)
        if body.batch.hints and not known:  # something happens to the deal, and nobody told what
            raise Malformed("event_field_missing", field=settings_of(connection).stage_property)
        found = [answer(one, None, now) for one in known if one.moves and not one.own]
        return [one for one in found if one is not None and not one.own]

    def _remember(self, connection: StoredConnection) -> None:
        self._known[connection.connection_id] = connection
        self._known.move_to_end(connection.connection_id)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _recalled(
        self, connection_id: str, request: Request, key: str | None, now: datetime, error: Exception
    ) -> StoredConnection:
        """The connection as it was when it was last seen here, if this is its CRM; raises what went wrong if not."""
        connection = self._known.get(connection_id)
        if connection is None:
            if isinstance(error, TimeoutError):
                raise DatabaseDown("it does not answer") from error
            raise error
        method, uri, headers, body = request[:4]
        try:
            secrets = secrets_of(connection, key, now)
        except (NoKey, WrongKey):
            raise error from None
        if not ADAPTERS[connection.kind].verify(secrets, method=method, uri=uri, headers=headers, body=body, now=now):
            raise BadSignature
        return connection
