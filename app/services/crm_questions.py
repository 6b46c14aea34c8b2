"""A CRM's own question: would this move be allowed? Judged over what is stored of the deal; nothing is stored of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from app.crm.connection import person_of
from app.crm.events import Batch, Event, by_deal
from app.crm.record import from_document
from app.crm.state import GROUPS, Deal, Stored, lacking_now, snapshot_before, snapshot_now, tell
from app.crm.timeline import Move
from app.engine import Actor, CompiledProcess, Decision, Snapshot, UnknownStage, decide, decide_unknown_stage
from app.services.connection_settings import settings_of
from app.services.judging import unknown_stage
from app.services.processes import Processes
from app.services.refusals import InvalidRequest
from app.store.connections import StoredConnection
from app.store.crm_records import read_record
from app.store.database import Reader
from app.store.deals import StoredDeal, read_deal

TOGETHER = timedelta(minutes=1)
"""What a question brings so soon after a move was saved with it."""


class Known(NamedTuple):
    """A deal of a connection, with what was asked about it told over what is stored; what the stored facts lack."""

    deal_id: str
    deal: Deal
    asked: tuple[Event, ...]
    processes: dict[str, CompiledProcess]
    lacks: frozenset[str]

    @property
    def own(self) -> bool:
        """Whether the CRM says that it was us."""
        ours = self.deal.settings.acts_as
        return ours is not None and any(event.by == ours for event in self.asked)

    @property
    def moves(self) -> bool:
        """Whether what was asked takes the deal elsewhere than it stands."""
        keys = {event.key for event in self.asked}
        return any(move.event.key in keys for move in self.deal.line.moves)

    @property
    def actor(self) -> Actor | None:
        """Who moves the deal, where the mapping knows them."""
        person = person_of(self.deal.settings, self._last("by"))
        return Actor(id=person.id, roles=tuple(person.roles)) if person else None

    @property
    def changed_by(self) -> str | None:
        """The same, else the CRM's id of them."""
        return self.actor.id if self.actor else self._last("by")

    @property
    def channel(self) -> str | None:
        """Where the CRM says that it happens."""
        return self._last("channel")

    def _last(self, name: Literal["by", "channel"]) -> str | None:
        found = (getattr(event, name) for event in reversed(self.asked))
        return next((one for one in found if one is not None), None)


class Answer(NamedTuple):
    """What is decided about one deal; `own` says that the move is one that we made."""

    known: Known
    decision: Decision
    compiled: CompiledProcess
    own: bool = False


async def known_deals(
    db: Reader, processes: Processes, connection: StoredConnection, batch: Batch, *, hints: bool = False
) -> list[Known]:
    """Every deal that a body is about, in the order in which it names them; those it only hints at if asked for."""
    events, facts = by_deal(batch.events), by_deal(batch.facts)
    found = []
    for one in dict.fromkeys([*events, *facts, *(batch.hints if hints else ())]):
        own = batch._replace(events=tuple(events.get(one, ())), facts=tuple(facts.get(one, ())))
        found.append(await _known(db, processes, connection, one, own))
    return found


async def _known(db: Reader, processes: Processes, connection: StoredConnection, object_id: str, batch: Batch) -> Known:
    """`batch`: what is told of this deal alone."""
    settings, asked = settings_of(connection), batch.events
    deal_id = f"{connection.connection_id}:{object_id}"
    told = await read_record(db, connection.tenant_id, connection.connection_id, object_id)
    row = await read_deal(db, connection.tenant_id, deal_id)
    record = from_document(None if told is None else told.document)
    stored = _stored(row)
    events = record.asked_about(asked)
    deal = tell(settings, record, events, stored, facts=batch.facts)
    if row is not None and row.connection_id is None:  # kept through our API: nothing is lacking
        lacks: frozenset[str] = frozenset()
    elif stored is None:
        lacks = frozenset(GROUPS)
    else:
        lacks = lacking_now(tell(settings, record, (), stored))
    return Known(deal_id, deal, events, await _compiled(db, processes, connection, row), lacks)


def _stored(row: StoredDeal | None) -> Stored | None:
    if row is None:
        return None
    return Stored(row.process_key, Snapshot.model_validate_json(row.snapshot), row.updated_at)


async def _compiled(
    db: Reader, processes: Processes, connection: StoredConnection, row: StoredDeal | None
) -> dict[str, CompiledProcess]:
    """The processes of a connection, the deal's own in the version it has; the first one under the empty key too."""
    versions = {one.process: one.version for one in settings_of(connection).pipelines.values()}
    own = {} if row is None else {row.process_key: row.process_version}
    asked = {**own, **{key: version or own.get(key) for key, version in versions.items()}}
    tenant_id = connection.tenant_id
    found = {key: await processes.asked(db, tenant_id, key, version) for key, version in asked.items()}
    return {**found, "": found[next(iter(versions))]}


def answer(known: Known, to: str | None, now: datetime) -> Answer | None:
    """The decision on a deal; None when there is no move to judge.

    With `to` the deal is asked about as it stands; without, the stage that the body tells is where it is to go. When
    it stands there already, the move that brought it there is judged.
    """
    last = known.deal.line.entries[-1] if known.deal.line.entries else None
    told = any(event.name == known.deal.settings.stage_property for event in known.asked)
    if to is not None and not (told and last is not None and last.stage == to):
        return _asked(known, to, now)
    if not told or last is None:
        return None
    move = next((one for one in reversed(known.deal.line.moves) if one.entry == last), None)
    compiled = known.processes.get(last.process or "", known.processes[""])
    if move is None or not move.judgeable:
        before = move.before.stage if move is not None and move.before is not None else None
        return Answer(known, _not_judged(known, compiled, before, last.stage, last.at or now), compiled)
    return Answer(known, _moved(known, move, compiled, now), compiled, move.own)


def _asked(known: Known, to: str, now: datetime) -> Answer:
    deal = known.deal
    compiled = known.processes.get(deal.process or "", known.processes[""])
    if to not in compiled.stages:
        raise unknown_stage(UnknownStage(to, tuple(compiled.stages), "to"))
    if deal.process is None or not deal.line.entries[-1].mapped:
        source = deal.line.entries[-1].stage if deal.line.entries else None
        return Answer(known, _not_judged(known, compiled, source, to, now), compiled)
    snapshot = snapshot_now(deal, known.deal_id, compiled.zone)
    return Answer(known, _decided(known, compiled, snapshot, to, now), compiled)


def _moved(known: Known, move: Move, compiled: CompiledProcess, now: datetime) -> Decision:
    at = move.event.at
    current = snapshot_now(known.deal, known.deal_id, compiled.zone)
    together = max(timedelta(0), min(now - at, TOGETHER))
    snapshot = snapshot_before(known.deal, current, compiled.zone, move, together)
    return _decided(known, compiled, snapshot, move.entry.stage, at)


def _decided(known: Known, compiled: CompiledProcess, snapshot: Snapshot, to: str, at: datetime) -> Decision:
    try:
        return decide(compiled, snapshot, to, as_of=at, actor=known.actor, missing=known.lacks)
    except UnknownStage as error:
        if error.place == "from":
            return decide_unknown_stage(compiled, snapshot, to, as_of=at, missing=known.lacks)
        return _not_judged(known, compiled, snapshot.stage, to, at)


def _not_judged(known: Known, compiled: CompiledProcess, source: str | None, to: str, at: datetime) -> Decision:
    missing = tuple(sorted(known.lacks | {"stage"}))
    kind, version, digest = compiled.key, compiled.version, compiled.digest
    return Decision("not_judged", kind, version, digest, source, to, at, (), missing=missing)


def require_answer(answers: Sequence[Answer | None], to: str | None, *, as_record: bool) -> list[Answer]:
    """Those that there are. A deal as it is, without a stage and without `to`, asks nothing: that is refused."""
    found = [one for one in answers if one is not None]
    if not found and as_record and to is None and answers:
        raise InvalidRequest("to", "no_move_asked")
    return found
