"""Where a refused move came from, in the CRM's own ids, so that it can be put back there; and whose deal it is."""

from app.crm.client import Standing
from app.crm.connection import ConnectionSettings
from app.crm.state import Deal
from app.crm.timeline import Move, latest


def way_back(settings: ConnectionSettings, move: Move) -> Standing | None:
    """The stage before a move as the CRM calls it; None where that is not known, or where several mean it."""
    before = move.before
    if before is None or not before.mapped:
        return None
    named = [
        Standing(pipeline, stage)
        for pipeline, one in settings.pipelines.items()
        for stage, key in one.stages.items()
        if one.process == before.process and key == before.stage
    ]
    if before.crm_stage is not None:
        if before.pipeline is not None:
            return Standing(before.pipeline, before.crm_stage)
        named = [one for one in named if one.stage == before.crm_stage]
        return named[0] if len(named) == 1 else Standing(None, before.crm_stage)
    beside = [one for one in named if one.pipeline == move.entry.pipeline]
    fitting = beside or named
    return fitting[0] if len(fitting) == 1 else None


def is_still_there(deal: Deal, move: Move, standing: Standing) -> bool:
    """Whether the deal is where this very move has put it, and has been since."""
    same_pipeline = None in (standing.pipeline, move.entry.pipeline) or standing.pipeline == move.entry.pipeline
    return deal.line.entries[-1] is move.entry and standing.stage == move.entry.crm_stage and same_pipeline


def was_put_back(deal: Deal, move: Move) -> bool:
    """Whether we have put a move back already."""
    return any(one.own and one.event.at > move.event.at and one.before == move.entry for one in deal.line.moves)


def crm_owner(deal: Deal, owner: str | None) -> str | None:
    """The CRM's own id of whose deal it is: as it was told, else the one that the mapping has for our person."""
    told = latest(deal.record.events, deal.settings.owner_property)
    if told is not None:
        return str(told.value) if told.value not in (None, "") else None
    return next((crm_id for crm_id, person in deal.settings.people.items() if person.id == owner), None)
