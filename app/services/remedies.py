"""Answers drift in the CRM, after its grace: puts the stage back, leaves a note and a task, as the connection says.

Done at least once, and with one effect: what we write carries a mark, and is looked for before it is written; a stage
is put back only while the deal is still where the refused move has put it, and our writing it is remembered before.
What its people have put right meanwhile is not answered.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from app import clock
from app.crm.client import Client, ClientError, Note, Standing, Task
from app.crm.http import Unreachable
from app.crm.record import OwnWrite, Record, from_document, to_document
from app.crm.timeline import Entry, Move
from app.crm.way_back import crm_owner, is_contested, is_still_there, put_back_by, refused_in_a_row, way_back
from app.engine import Decision, instant
from app.i18n import Locale
from app.i18n.drift_texts import drift_note, drift_task
from app.services.clients import client_of
from app.services.crm_facts import Taken
from app.services.crm_judging import Judgement
from app.services.outbox import GiveUp, Later, Work
from app.services.remedy_advice import first_step, still_refused
from app.services.settling import Judges, Unread, judge_now, read_back
from app.services.verdicts import answered_since
from app.store.connections import StoredConnection, read_connection
from app.store.crm_moves import note_remedied
from app.store.crm_records import ask_to_judge, lock_record, read_record, write_record
from app.store.database import Transaction
from app.store.outbox_targets import CONNECTION

SETTLING_WAITS = 15.0
"""Seconds until a deal that has news is looked at again."""


class Drift(NamedTuple):
    """The move to answer, on the deal as it was just read back.

    `reasons` is the verdict with what still stands in its way, None where its people have put it right. `first` is the
    refused move before which the deal last stood rightly: this one, or one of those in a row that end with it. `back`
    is who has put the deal back to there.
    """

    connection: StoredConnection
    client: Client
    object_id: str
    marker: str
    taken: Taken
    judgement: Judgement
    move: Move
    reasons: Decision | None
    first: Move
    back: Literal["us", "people"] | None
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
            self._judges.database, work.tenant_id, work.target_id.removeprefix(CONNECTION)
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
            if drift.reasons is None:
                came_to[name] = "put_right"
                continue
            text = _text(drift, drift.reasons, put_back=came_to.get("revert") in ("done", "already_done"))
            try:
                came_to[name] = await do(drift, drift.reasons, text)
            except Unreachable as error:
                raise Later(error.code, **error.params) from error
            except ClientError as error:
                if error.again:
                    raise Later(error.code, after=error.after, **error.params) from error
                came_to[name], refused = error.code, error
        if came_to:
            await self._remember(drift, came_to)
        if refused is not None:
            raise GiveUp(refused.code, **refused.params)

    async def _revert(self, drift: Drift, _reasons: Decision, _text: str) -> str:
        deal, move = drift.taken.deal, drift.move
        left = _left_alone(drift)
        if left is not None:
            return left
        target = way_back(deal.settings, drift.first)
        if target is None:
            return "stage_before_unknown"
        standing = await drift.client.standing(drift.object_id)
        if standing is None:
            return "gone"
        if not is_still_there(deal, move, standing):
            return "moved_on"
        await self._put_back(drift, target)
        await self._look_again(drift)
        return "done"

    async def _put_back(self, drift: Drift, target: Standing) -> None:
        """Remembered before we write: should we die over it, its echo is known for ours.

        What the CRM has refused, and not done in part either, has no echo: a move there would be somebody else's.
        """
        write = _own_write(drift, target)
        await self._keep(drift, lambda record: record.with_own(write))
        try:
            await drift.client.set_stage(drift.object_id, target)
        except ClientError as error:
            if not error.again and await _stays(drift):
                await self._keep(drift, lambda record: record.without_own(write))
            raise

    async def _note(self, drift: Drift, _reasons: Decision, text: str) -> str:
        if await drift.client.has_note(drift.object_id, drift.marker):
            return "already_done"
        await drift.client.add_note(drift.object_id, Note(drift.marker, text))
        return "done"

    async def _task(self, drift: Drift, reasons: Decision, text: str) -> str:
        if _is_over(drift):
            return "moved_on"
        if await drift.client.has_task(drift.object_id, drift.marker):
            return "already_done"
        judgement, now = drift.judgement, drift.taken.snapshot
        step = None if now is None else first_step(drift.taken.deal, now, judgement, drift.move, clock.now())
        due = step.due if step else clock.now().astimezone(judgement.compiled.zone).date()
        subject = drift_task(step.advice if step else None, reasons, judgement.compiled, drift.locale)
        await drift.client.add_task(drift.object_id, Task(drift.marker, subject, text, due, drift.owner))
        return "done"

    async def _keep(self, drift: Drift, change: Callable[[Record], Record]) -> None:
        async def work(tx: Transaction) -> None:
            stored = await lock_record(tx, *_place(drift))
            record = change(from_document(stored.document))
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


def _own_write(drift: Drift, target: Standing) -> OwnWrite:
    """A stage that we are about to write, and the one on our way there where a deal has to be opened first."""
    move = drift.move
    step = move.before.crm_stage if move.before is not None and _is_closed(drift, move.entry) else None
    return OwnWrite(target.pipeline, target.stage, clock.now(), move.event.at, move.identity, step)


async def _stays(drift: Drift) -> bool:
    """Whether the deal surely is where the refused move has put it."""
    try:
        standing = await drift.client.standing(drift.object_id)
    except (ClientError, Unreachable):
        return False
    return standing is not None and is_still_there(drift.taken.deal, drift.move, standing)


def _is_closed(drift: Drift, entry: Entry) -> bool:
    """Whether the deal was won or lost there."""
    stage = drift.judgement.compiled.stages.get(entry.stage)
    return stage is not None and stage.kind != "open"


def _left_alone(drift: Drift) -> str | None:
    """Why a deal is not put back, whatever its CRM says; None where it is."""
    deal, move = drift.taken.deal, drift.move
    if drift.back == "us":
        return "already_done"
    if _is_closed(drift, move.entry) and not deal.settings.revert_closed:
        return "closed"
    return "contested" if is_contested(deal, move, drift.first) else None


def _is_over(drift: Drift) -> bool:
    """Whether a later move, which was not refused, has won or lost the deal."""
    deal = drift.taken.deal
    last = deal.line.moves[-1]
    verdict = deal.record.verdicts.get(last.identity)
    refused = verdict is not None and verdict.standing == "drift"
    return last != drift.move and not refused and _is_closed(drift, deal.line.entries[-1])


def _text(drift: Drift, reasons: Decision, *, put_back: bool) -> str:
    """What note and task say. The mark stands on a line of its own."""
    home = drift.first.before.stage if put_back and drift.first.before else None
    return f"{drift_note(reasons, drift.judgement.compiled, drift.locale, put_back=home)}\n{drift.marker}"


def _drift(connection: StoredConnection, client: Client, work: Work, taken: Taken) -> Drift | None:
    """The move that the work is about, where it still is drift."""
    deal, now = taken.deal, taken.snapshot
    verdicts = deal.record.verdicts
    origin = work.payload["move"]
    drifted = {one.identity: one for one in taken.found if one.standing == "drift" and one.move is not None}
    found = next((key for key, one in verdicts.items() if one.origin == origin and one.standing == "drift"), None)
    judgement = drifted.get(found or "")
    if judgement is None or judgement.move is None or now is None:
        return None
    move = judgement.move
    oldest = answered_since(connection.created_at, move.event.at)
    row = refused_in_a_row(deal, move, lambda one: one.identity in drifted and one.event.at >= oldest)
    reasons = [still_refused(deal, now, drifted[one.identity], one, clock.now()) for one in row]
    place = next((place for place, why in enumerate(reasons) if why is not None), len(row) - 1)
    back = put_back_by(deal, move, row[: place + 1])
    owner = now.owner
    people = deal.settings.people.values()
    language = next((one.language for one in people if one.id == owner and one.language), None)
    return Drift(
        connection,
        client,
        str(work.payload["object"]),
        marker_of(work.dedupe_key),
        taken,
        judgement,
        move,
        _reasons(judgement, reasons[-1], back),
        row[place],
        back,
        language or deal.settings.language,
        crm_owner(deal, owner),
    )


def _reasons(judgement: Judgement, now: Decision | None, back: str | None) -> Decision | None:
    """What is told. What we have put back is explained also where nothing stands in its way any more."""
    if back == "people":
        return None
    return now or (judgement.decision if back == "us" else None)


def _failure(code: str, params: dict[str, Any], *, again: bool, after: float | None) -> Later | GiveUp:
    if code == "secret_unavailable":
        return Later(code, after=300.0, counts=False)
    return Later(code, after=after, **params) if again else GiveUp(code, **params)
