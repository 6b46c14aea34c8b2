"""Answers drift in the CRM, after its grace: puts the stage back, leaves a note and a task, as the connection says.

Done at least once, and with one effect: what we write carries a mark, and is looked for before it is written; a stage
is put back only while the deal is still where the refused move has put it, and our writing it is remembered before.
"""

import hashlib
import json
from typing import Any, NamedTuple

from app import clock
from app.crm.client import Client, ClientError, Note, Standing, Task
from app.crm.http import Unreachable
from app.crm.record import OwnWrite, from_document, to_document
from app.crm.timeline import Move
from app.crm.way_back import crm_owner, is_still_there, was_put_back, way_back
from app.engine import instant
from app.i18n import Locale
from app.i18n.drift_texts import drift_note, drift_task
from app.services.clients import client_of
from app.services.crm_facts import Taken
from app.services.crm_judging import Judgement
from app.services.outbox import GiveUp, Later, Work
from app.services.remedy_advice import first_step
from app.services.settling import Judges, Unread, judge_now, read_back
from app.store.connections import StoredConnection, read_connection
from app.store.crm_moves import note_remedied
from app.store.crm_records import ask_to_judge, lock_record, read_record, write_record
from app.store.database import Transaction

SETTLING_WAITS = 15.0
"""Seconds until a deal that has news is looked at again."""


class Drift(NamedTuple):
    """The move to answer, on the deal as it was just read back."""

    connection: StoredConnection
    client: Client
    object_id: str
    marker: str
    taken: Taken
    judgement: Judgement
    move: Move
    locale: Locale
    owner: str | None


class Remedies:
    """The handler of the outbox's kind `remedy`."""

    def __init__(self, judges: Judges) -> None:
        self._judges = judges

    async def __call__(self, work: Work) -> None:
        """Read the deal back, judge it again, and answer what still is drift."""
        object_id = str(work.payload["object"])
        connection = await read_connection(
            self._judges.database, work.tenant_id, work.target_id.removeprefix("connection:")
        )
        if connection is None:
            raise GiveUp("connection_gone")
        await self._wait_until_settled(connection, object_id)
        try:
            told = await read_back(self._judges, connection, object_id)
        except Unread as why:
            raise _failure(why.code, why.params, again=why.again, after=why.after) from why
        client = client_of(self._judges.database, connection, key=self._judges.key, http=self._judges.http)
        if client is None or told is None:
            raise GiveUp("connection_without_access")
        taken = await judge_now(self._judges, connection, object_id, told)
        if taken.settling:
            raise Later("remedy_settles", after=SETTLING_WAITS, counts=False)
        drift = _drift(connection, client, work, taken)
        if drift is not None and taken.deal.line.gone is None:
            await self._answer(drift)

    async def _wait_until_settled(self, connection: StoredConnection, object_id: str) -> None:
        record = await read_record(self._judges.database, connection.tenant_id, connection.connection_id, object_id)
        settles = record is not None and record.judge_at is not None
        if record is not None and settles and from_document(record.document).waiting_since is not None:
            raise Later("remedy_settles", after=SETTLING_WAITS, counts=False)

    async def _answer(self, drift: Drift) -> None:
        """The stage first, so that the note can tell of it; what the CRM refuses does not keep the rest from it."""
        wanted = drift.taken.deal.settings.remedy
        came_to: dict[str, str] = {}
        refused: ClientError | None = None
        for name, do in (("revert", self._revert), ("note", self._note), ("task", self._task)):
            if name not in wanted:
                continue
            try:
                came_to[name] = await do(drift, put_back=came_to.get("revert") in ("done", "already_done"))
            except Unreachable as error:
                raise Later(error.code, **error.params) from error
            except ClientError as error:
                if error.again:
                    raise Later(error.code, after=error.after, **error.params) from error
                came_to[name], refused = error.code, error
        await self._remember(drift, came_to)
        if refused is not None:
            raise GiveUp(refused.code, **refused.params)

    async def _revert(self, drift: Drift, *, put_back: bool) -> str:  # noqa: ARG002 - as the others are called
        deal, move = drift.taken.deal, drift.move
        if was_put_back(deal, move):
            return "already_done"
        stage = drift.judgement.compiled.stages.get(move.entry.stage)
        if stage is not None and stage.kind != "open" and not deal.settings.revert_closed:
            return "closed"
        target = way_back(deal.settings, move)
        if target is None:
            return "stage_before_unknown"
        standing = await drift.client.standing(drift.object_id)
        if standing is None:
            return "gone"
        if not is_still_there(deal, move, standing):
            return "moved_on"
        await self._remember_own(drift, target)
        await drift.client.set_stage(drift.object_id, target)
        await self._look_again(drift)
        return "done"

    async def _note(self, drift: Drift, *, put_back: bool) -> str:
        if await drift.client.has_note(drift.object_id, drift.marker):
            return "already_done"
        judgement = drift.judgement
        text = drift_note(judgement.decision, judgement.compiled, drift.locale, put_back=put_back)
        await drift.client.add_note(drift.object_id, Note(drift.marker, f"{text}\n{drift.marker}"))
        return "done"

    async def _task(self, drift: Drift, *, put_back: bool) -> str:
        if await drift.client.has_task(drift.object_id, drift.marker):
            return "already_done"
        judgement, now = drift.judgement, drift.taken.snapshot
        step = None if now is None else first_step(drift.taken.deal, now, judgement, drift.move, clock.now())
        due = step.due if step else clock.now().astimezone(judgement.compiled.zone).date()
        subject = drift_task(step.advice if step else None, judgement.decision, judgement.compiled, drift.locale)
        text = drift_note(judgement.decision, judgement.compiled, drift.locale, put_back=put_back)
        task = Task(drift.marker, subject, f"{text}\n{drift.marker}", due, drift.owner)
        await drift.client.add_task(drift.object_id, task)
        return "done"

    async def _remember_own(self, drift: Drift, target: Standing) -> None:
        """Before we write: should we die over it, its echo is known for ours."""
        move = drift.move
        write = OwnWrite(target.pipeline, target.stage, clock.now(), move.event.at, move.identity)

        async def work(tx: Transaction) -> None:
            stored = await lock_record(tx, *_place(drift))
            record = from_document(stored.document).with_own(write)
            await write_record(tx, stored._replace(document=to_document(record)))

        await self._judges.database.transaction(work)

    async def _look_again(self, drift: Drift) -> None:
        """The deal as it stands now, also where the CRM tells nobody of what its API did."""
        now = clock.now()
        await self._judges.database.transaction(lambda tx: ask_to_judge(tx, *_place(drift), now))

    async def _remember(self, drift: Drift, came_to: dict[str, str]) -> None:
        remedied = json.dumps({"at": instant(clock.now()), **came_to})
        await self._judges.database.transaction(
            lambda tx: note_remedied(tx, *_place(drift), drift.move.identity, remedied=remedied)
        )


def marker_of(dedupe_key: str) -> str:
    """What we write carries this, and is known by it."""
    return f"[stagerail:{hashlib.sha256(dedupe_key.encode()).hexdigest()[:12]}]"


def _place(drift: Drift) -> tuple[str, str, str]:
    return drift.connection.tenant_id, drift.connection.connection_id, drift.object_id


def _drift(connection: StoredConnection, client: Client, work: Work, taken: Taken) -> Drift | None:
    """The move that the work is about, where it still is drift."""
    verdicts = taken.deal.record.verdicts
    origin = work.payload["move"]
    found = next((key for key, one in verdicts.items() if one.origin == origin and one.standing == "drift"), None)
    judgement = next((one for one in taken.found if one.identity == found), None)
    if judgement is None or judgement.move is None or judgement.standing != "drift":
        return None
    owner = taken.snapshot.owner if taken.snapshot else None
    people = taken.deal.settings.people.values()
    language = next((one.language for one in people if one.id == owner and one.language), None)
    return Drift(
        connection,
        client,
        str(work.payload["object"]),
        marker_of(work.dedupe_key),
        taken,
        judgement,
        judgement.move,
        language or taken.deal.settings.language,
        crm_owner(taken.deal, owner),
    )


def _failure(code: str, params: dict[str, Any], *, again: bool, after: float | None) -> Later | GiveUp:
    if code == "secret_unavailable":
        return Later(code, after=300.0, counts=False)
    return Later(code, after=after, **params) if again else GiveUp(code, **params)
