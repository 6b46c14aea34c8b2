"""A process as a picture: Mermaid for documents, SVG for pages, JSON for programs."""

import json
from typing import Literal

from app.engine.mermaid import mermaid
from app.engine.picture import as_data, picture_of
from app.engine.process import Process
from app.engine.svg import svg

Format = Literal["mermaid", "svg", "json"]


def diagram(process: Process, format: Format, locale: str = "en") -> str:  # noqa: A002 - the word callers use
    """Draw the stages and the drawn moves of a process, named in a language."""
    picture = picture_of(process, locale)
    if format == "mermaid":
        return mermaid(picture)
    if format == "svg":
        return svg(picture)
    return json.dumps(as_data(picture), ensure_ascii=False, indent=2)
