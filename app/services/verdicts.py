"""The verdicts on a deal's moves, kept: what is new is logged, told and answered, what was wrong is superseded.

A verdict that does not hold any more (a late fact, an earlier event, a move that turns out to be none) stays in the
log; only what counts, and what is waiting to answer it, follows the newest.
"""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.crm.connection import ConnectionSettings
from app.crm.record import Verdict
from app.crm.state import Deal
from app.crm.timeline import Move
from app.engine import CompiledProcess, Decision, instant
from app.services.adherence import record_move, week_of
from app.services.crm_judging import Judgement, Rules, author_of, our_own, process_of, source_of
from app.services.decision_log import logged
from app.services.events import Events, EventType, OurEvent, move_data
from app.services.ids import new_id
from app.services.outbox import Item, cancel, enqueue
from app.store.crm_moves import CrmMove, delete_move, put_move, rename_move
from app.store.database import Transaction
from app.store.insights import delete_kept
from app.store.outbox_targets import CONNECTION

REMEDY = "remedy"
ANSWERED_WITHIN = timedelta(days=7)
"""Older moves are counted and not answered: a deal that is read for the first time brings its whole past along."""
CREATED = "created"


def answered_since(connected: datetime, at: datetime) -> datetime:
    """From when on moves are answered, seen from a time: since the connection was made, and the last seven days."""
    return max(connected, at - ANSWERED_WITHIN)


class Keeper(NamedTuple):
    """Whose verdicts are kept, and what drift is answered with.

    `answers_since` is from when on moves are answered; None when they are not. `facts_have_times` is false where facts
    are kept through our API: what they are now is no reason to judge an old move anew.
    """

    tenant_id: str
    connection_id: str
    object_id: str
    settings: ConnectionSettings
    now: datetime
    events: Events | None
    answers_since: datetime | None
    grace: timedelta
    facts_have_times: bool = True

    @property
    def deal_id(self) -> str:
        """The deal's id with us."""
        return f"{self.connection_id}:{self.object_id}"

    def stands(self, old: Verdict, one: Judgement) -> bool:
        """Whether a verdict still says what a new judgement says."""
        return one.says(old.about) or (not self.facts_have_times and old.way == one.way)

    def dedupe_key(self, origin: str) -> str:
        """Names the answer to one move."""
        return f"{REMEDY}:{self.connection_id}:{self.object_id}:{origin}"


class Kept(NamedTuple):
    """The verdicts as they stand now, and the new decisions among them by the identity of their event."""

    verdicts: dict[str, Verdict]
    new: dict[str, Judgement]


async def keep(tx: Transaction, keeper: Keeper, deal: Deal, found: Sequence[Judgement], rules: Rules) -> Kept:
    """Write down what is new among all judgements of a deal."""
    known = deal.record.verdicts
    verdicts = {key: one for key, one in known.items() if one.at is not None}
    own = [move for move in deal.line.moves if move.own]
    lost = _lost(deal, verdicts, {*(one.identity for one in found), *(move.identity for move in own)})
    for key in lost:
        del verdicts[key]
    new: dict[str, Judgement] = {}
    for one in found:
        # verdicts of before moves had an identity stand under their event's key, and have no time
        old = verdicts.get(one.identity) or known.get(one.event.key) or await _heir(tx, keeper, lost, one)
        if old is not None and one.identity in verdicts and keeper.stands(old, one):
            continue
        origin = _origin(verdicts, one, old)
        verdicts[one.identity] = await _log(tx, keeper, deal, one, old, origin=origin)
        if verdicts[one.identity].decision_id != (old.decision_id if old else None):
            new[one.identity] = one
    for move in own:
        if move.identity not in verdicts or verdicts[move.identity].standing != "own":
            verdicts[move.identity] = await _own(tx, keeper, deal, move, old=verdicts.get(move.identity), rules=rules)
    for key, gone in lost.items():
        await delete_move(tx, keeper.tenant_id, keeper.connection_id, keeper.object_id, key)
        await _retract(tx, keeper, gone)
    return Kept(verdicts, new)


def _lost(deal: Deal, verdicts: dict[str, Verdict], known: set[str]) -> dict[str, Verdict]:
    """Verdicts on what is no move any more; those whose events were let go for their age stand."""
    stages = [event.at for event in deal.record.events if event.name == deal.settings.stage_property]
    oldest = min(stages, default=None)
    return {
        key: one
        for key, one in verdicts.items()
        if key not in known and key != CREATED and oldest is not None and one.at is not None and one.at >= oldest
    }


async def _heir(tx: Transaction, keeper: Keeper, lost: dict[str, Verdict], one: Judgement) -> Verdict | None:
    """The verdict on the same move by another event, which another telling has put in its place."""
    key = next((key for key, verdict in lost.items() if verdict.way == one.way), None)
    if key is None or one.move is None:
        return None
    place = (keeper.tenant_id, keeper.connection_id, keeper.object_id)
    await rename_move(tx, *place, key, new_key=one.identity)
    return lost.pop(key)


def _origin(verdicts: Mapping[str, Verdict], one: Judgement, old: Verdict | None) -> str:
    """What names the answer to a move. A name that another move has inherited is not given to a second one."""
    if old is not None and old.origin:
        return old.origin
    taken = {verdict.origin for verdict in verdicts.values()}
    again = (f"{one.identity}:{count}" for count in itertools.count(2))
    return next(name for name in itertools.chain((one.identity,), again) if name not in taken)


async def _log(
    tx: Transaction, keeper: Keeper, deal: Deal, one: Judgement, old: Verdict | None, *, origin: str
) -> Verdict:
    """One judgement: the decision logged where it is new, the move with its verdict, and what follows from it."""
    same = old is not None and one.says(old.about)
    decision_id = old.decision_id if old is not None and same else new_id(keeper.now)
    if not same:
        entry = logged(
            keeper.tenant_id,
            decision_id,
            one.decision,
            deal_id=keeper.deal_id,
            actor=one.actor,
            source="webhook",
            now=keeper.now,
        )
        entry = entry._replace(
            channel=one.event.channel,
            changed_by=author_of(deal, one.event),
            supersedes=(old.decision_id or None) if old else None,
        )
        await record_move(tx, entry, one.decision, one.compiled, owner=one.owner)
    verdict = Verdict(decision_id, one.about, one.event.at, one.compiled.version, one.standing, one.way, origin)
    if one.move is not None:
        await put_move(tx, _row(keeper, deal, one.move, one.compiled, verdict))
        await _follow(tx, keeper, deal, one, verdict=verdict, old=old)
    return verdict


async def _follow(
    tx: Transaction, keeper: Keeper, deal: Deal, one: Judgement, *, verdict: Verdict, old: Verdict | None
) -> None:
    """What a verdict brings about: events for whoever listens, and a remedy that waits out its grace."""
    if old is None:
        await _tell(tx, keeper, "deal.moved", _data(keeper, deal, one, verdict.decision_id))
    was_drift = old is not None and old.standing == "drift"
    if verdict.standing == "drift" and not was_drift:
        await _tell(tx, keeper, "deal.drifted", _data(keeper, deal, one, verdict.decision_id))
        await _answer(tx, keeper, deal, one, verdict)
    elif was_drift and verdict.standing != "drift":
        await _tell(tx, keeper, "deal.drift.resolved", _data(keeper, deal, one, verdict.decision_id))
        await cancel(tx, keeper.tenant_id, keeper.dedupe_key(verdict.origin), keeper.now)


async def _answer(tx: Transaction, keeper: Keeper, deal: Deal, one: Judgement, verdict: Verdict) -> None:
    since = keeper.answers_since
    too_old = since is None or one.event.at < answered_since(since, keeper.now)
    if too_old or deal.line.gone is not None or set(keeper.settings.remedy) == {"observe"}:
        return
    payload = {"object": keeper.object_id, "move": verdict.origin, "decision": verdict.decision_id}
    item = Item(
        tenant_id=keeper.tenant_id,
        target_id=CONNECTION + keeper.connection_id,
        order_key=keeper.object_id,
        kind=REMEDY,
        dedupe_key=keeper.dedupe_key(verdict.origin),
        payload=payload,
        not_before=keeper.now + keeper.grace,
    )
    await enqueue(tx, item, keeper.now)


async def _own(
    tx: Transaction, keeper: Keeper, deal: Deal, move: Move, *, old: Verdict | None, rules: Rules
) -> Verdict:
    """A move that we made: in its place, and nothing to judge."""
    compiled = rules.of(process_of(move))
    if old is not None:
        await _retract(tx, keeper, old)
    else:
        await _tell(tx, keeper, "deal.moved", _data(keeper, deal, our_own(deal, move, compiled), None))
    verdict = Verdict("", "own", move.event.at, None, "own", "", old.origin if old else move.identity)
    await put_move(tx, _row(keeper, deal, move, compiled, verdict))
    return verdict


async def _retract(tx: Transaction, keeper: Keeper, gone: Verdict) -> None:
    """A verdict without a successor: it counts no more, and nothing answers it."""
    if gone.decision_id:
        await delete_kept(tx, keeper.tenant_id, gone.decision_id)
    if gone.standing == "drift":
        data = {"deal": keeper.deal_id, "connection": keeper.connection_id, "decision": gone.decision_id}
        await _tell(tx, keeper, "deal.drift.resolved", data)
        await cancel(tx, keeper.tenant_id, keeper.dedupe_key(gone.origin), keeper.now)


async def _tell(tx: Transaction, keeper: Keeper, kind: EventType, data: dict[str, Any]) -> None:
    if keeper.events is not None:
        await keeper.events.tell(tx, OurEvent(keeper.tenant_id, kind, keeper.deal_id, data), keeper.now)


def _data(keeper: Keeper, deal: Deal, one: Judgement, decision_id: str | None) -> dict[str, Any]:
    decision: Decision = one.decision
    actor = None if one.actor is None else one.actor.id
    said = move_data(decision, decision_id, deal_id=keeper.deal_id, source="webhook", actor=actor)
    return {
        **said,
        "connection": keeper.connection_id,
        "at": instant(one.event.at),
        "channel": one.event.channel,
        "changed_by": author_of(deal, one.event),
    }


def _row(keeper: Keeper, deal: Deal, move: Move, compiled: CompiledProcess, verdict: Verdict) -> CrmMove:
    at = move.event.at.astimezone(compiled.zone)
    return CrmMove(
        tenant_id=keeper.tenant_id,
        connection_id=keeper.connection_id,
        object_id=keeper.object_id,
        event_key=move.identity,
        process_key=compiled.key,
        from_stage=source_of(move),
        to_stage=move.entry.stage,
        at=move.event.at,
        week=week_of(at),
        day=f"{at:%Y-%m-%d}",
        channel=move.event.channel or "",
        author=author_of(deal, move.event) or "",
        verdict=verdict.standing,
        decision_id=verdict.decision_id,
    )
