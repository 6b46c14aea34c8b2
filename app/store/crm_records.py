"""What a CRM has told about each of its deals: one document a deal, locked while somebody works on it."""

from sqlalchemy import select, update

from app.store.database import Query, Transaction, command
from app.store.statements import by_key, insert_new, named
from app.store.tables import CrmRecordRow, table_of

TABLE = table_of(CrmRecordRow)
ONE = by_key(TABLE, "tenant_id", "connection_id", "object_id")
INSERT = insert_new(TABLE)
LOCK = Query(select(TABLE.c.document).where(*ONE).with_for_update(), tuple)
WRITE = command(update(TABLE).where(*ONE).values(document=named(TABLE, "document", "new_document")))


async def lock_record(tx: Transaction, tenant_id: str, connection_id: str, object_id: str) -> str | None:
    """The document of a deal, None when there is none yet; nobody else can work on the deal until this ends.

    The row is made first where there is none, so that two deliveries that bring the same new deal meet at it.
    """
    key = {"tenant_id": tenant_id, "connection_id": connection_id, "object_id": object_id}
    await tx.execute(INSERT, {**key, "document": None, "judge_at": None, "attempts": 0})
    row = await tx.fetch_one(LOCK, key)
    return None if row is None else row[0]


async def write_record(tx: Transaction, tenant_id: str, connection_id: str, object_id: str, document: str) -> None:
    """Overwrite the document. INVARIANT: `lock_record` was called in this transaction."""
    key = {"tenant_id": tenant_id, "connection_id": connection_id, "object_id": object_id}
    await tx.execute(WRITE, {**key, "new_document": document})
