"""A process as a picture: Mermaid for documents, SVG for pages, JSON for programs."""

import json
from typing import Literal

from app.engine.mermaid import mermaid
from app.engine.picture import as_data, picture_of
from app.engine.picture_buyer import seen_by_buyer
from app.engine.process import Process
from app.engine.svg import svg

Format = Literal["mermaid", "svg", "json"]
View = Literal["seller", "buyer"]


def diagram(
    process: Process,
    format: Format,  # noqa: A002 - the word callers use
    locale: str = "en",
    *,
    view: View = "seller",
) -> str:
    """Draw the stages of a process, or the buyer's steps that they serve, and the drawn moves between them."""
    picture = picture_of(process, locale)
    if view == "buyer":
        picture = seen_by_buyer(process, picture)
    if format == "mermaid":
        return mermaid(picture)
    if format == "svg":
        return svg(picture)
    return json.dumps(as_data(picture), ensure_ascii=False, indent=2)
