"""Decisions without a language, as JSON: what the decision log keeps, to be rendered for any reader later."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.engine.decision import Decision, Finding, Judged, Nested, Note

Document = dict[str, Any]


def to_document(decision: Decision) -> Document:
    """A decision as JSON-ready data; nothing is lost."""
    return {
        **decision._asdict(),
        "as_of": decision.as_of.isoformat(),
        "findings": [_finding(finding) for finding in decision.findings],
        "satisfied": [list(one) for one in decision.satisfied],
        "not_applicable": [list(one) for one in decision.not_applicable],
        "missing": list(decision.missing),
        "notes": [list(one) for one in decision.notes],
        "kept": list(decision.kept),
    }


def from_document(document: Mapping[str, Any]) -> Decision:
    """The decision that a document was made of."""
    return Decision(
        **{
            **document,
            "as_of": datetime.fromisoformat(document["as_of"]),
            "findings": tuple(_read_finding(one) for one in document["findings"]),
            "satisfied": tuple(Judged(*one) for one in document["satisfied"]),
            "not_applicable": tuple(Judged(*one) for one in document["not_applicable"]),
            "missing": tuple(document["missing"]),
            "notes": tuple(Note(*one) for one in document["notes"]),
            "kept": tuple(document.get("kept", ())),  # decisions logged before house rules were counted by it lack it
        }
    )


def _finding(finding: Finding | Nested) -> Document:
    return {
        **finding._asdict(),
        "remediation": list(finding.remediation),
        "params": {name: _param(value) for name, value in finding.params.items()},
        "nested": [_finding(one) for one in finding.nested],
    }


def _param(value: Any) -> Any:
    """A time is wrapped, so that it is told from text when read again."""
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def _read_finding(document: Mapping[str, Any]) -> Finding:
    return Finding(**_read(document))


def _read_nested(document: Mapping[str, Any]) -> Nested:
    return Nested(**_read(document))


def _read(document: Mapping[str, Any]) -> Document:
    return {
        **document,
        "remediation": tuple(document["remediation"]),
        "params": {name: _read_param(value) for name, value in document["params"].items()},
        "nested": tuple(_read_nested(one) for one in document["nested"]),
    }


def _read_param(value: Any) -> Any:
    return datetime.fromisoformat(value["at"]) if isinstance(value, dict) and "at" in value else value
