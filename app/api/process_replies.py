"""What callers get of processes, as models for the OpenAPI document."""

from typing import Literal

from pydantic import JsonValue

from app.api.replies import Page, ProcessRef, Shape


class FileProblemReply(Shape):
    """Something wrong or doubtful in a process file."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    path: str
    line: int
    column: int


class PublishReply(Shape):
    """What publishing gave."""

    process: ProcessRef
    created: bool
    published_at: str | None = None
    warnings: list[FileProblemReply]


class ProcessSummaryReply(Shape):
    """A process in a list."""

    key: str
    version: int
    digest: str
    updated_at: str


class ProcessReply(Shape):
    """A published process: its version, its definition as data, and the warnings kept with it."""

    key: str
    version: int
    digest: str
    published_at: str
    published_by: str | None
    definition: dict[str, JsonValue]
    warnings: list[FileProblemReply]


class ProcessPage(Page):
    """Processes, by key."""

    items: list[ProcessSummaryReply]
