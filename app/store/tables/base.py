"""What every table shares: the names of constraints, and the table behind a row class."""

from typing import ClassVar

from sqlalchemy import MetaData, Table
from sqlmodel import SQLModel

TENANT = "tenants.tenant_id"


class Base(SQLModel):
    """Constraints are named by rule, so that a later migration can name what it changes."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


def table_of(row: type[Base]) -> Table:
    """The SQLAlchemy table behind a row class, typed."""
    return Base.metadata.tables[str(row.__tablename__)]
