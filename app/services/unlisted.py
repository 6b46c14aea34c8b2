"""Deals that we keep and that their CRM does not list any more: deleted, say, without our being told."""

from app.crm.client import Page
from app.crm.record import from_document, gone_by
from app.store.crm_records import list_objects, read_record
from app.store.database import Reader
from app.store.deals import read_deal
from app.store.syncs import StoredSync

PAGE = 200


async def kept_deals(db: Reader, sync: StoredSync, cursor: str | None) -> Page:
    """A page of the deals of the connection that we keep, whether they were listed or not."""
    ids = await list_objects(db, sync.tenant_id, sync.connection_id, after=cursor or "", limit=PAGE)
    return Page(tuple(ids), ids[-1] if len(ids) == PAGE else None)


async def was_passed_over(db: Reader, sync: StoredSync, object_id: str) -> bool:
    """Whether a deal is there, as far as we know, and nobody has read it, or is about to, since the sync began.

    Of a deal that never stood in any of our processes CRMs may tell, and nobody asks.
    """
    stored = await read_record(db, sync.tenant_id, sync.connection_id, object_id)
    deal = await read_deal(db, sync.tenant_id, f"{sync.connection_id}:{object_id}")
    if stored is None or stored.judge_at is not None or deal is None:
        return False
    record = from_document(stored.document)
    if not record.events or gone_by(record.events) is not None:
        return False
    return all(reading.at < sync.started_at for reading in record.readings.values())
