"""The data quality of a deal, for whoever shows it. The formula is in grades.py."""

from datetime import datetime

from app.engine.compiled import CompiledProcess
from app.engine.facts import Facts
from app.engine.grades import DataQuality, quality_of
from app.engine.snapshot import Snapshot


def data_quality(compiled: CompiledProcess, snapshot: Snapshot, as_of: datetime) -> DataQuality:
    """Score every declared field of a deal, in the order of the file."""
    facts = Facts(snapshot, snapshot.stage, as_of, zone=compiled.zone, actor=None, missing=frozenset())
    scope = compiled.scope
    return quality_of([(field, scope.readers[key]) for key, field in scope.fields.items()], facts)
