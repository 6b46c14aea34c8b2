"""What a CRM has told about a deal, read without keeping anybody from working on it."""

from sqlalchemy import select

from app.store.database import Query, Reader
from app.store.statements import by_key
from app.store.tables import CrmRecordRow, table_of

TABLE = table_of(CrmRecordRow)
READ = Query(select(TABLE.c.document).where(*by_key(TABLE, "tenant_id", "connection_id", "object_id")), tuple)


async def read_document(db: Reader, tenant_id: str, connection_id: str, object_id: str) -> str | None:
    """The document of a deal; None when nothing was told of it."""
    row = await db.fetch_one(READ, {"tenant_id": tenant_id, "connection_id": connection_id, "object_id": object_id})
    return None if row is None else row[0]
