"""The picture of a process as Mermaid text, which many tools draw right inside Markdown."""

import re

from app.engine.picture import Arrow, Node, Picture

_SHAPES = {"open": ('["', '"]'), "won": ('(["', '"])'), "lost": ('(["', '"])')}
_SPECIAL = re.compile(r"[^\w .,:;!?()/+%€$'…-]")
_STYLES = (
    "classDef open_stage fill:#eef4ff,stroke:#3b5b92,color:#14213d",
    "classDef won_stage fill:#e7f6ec,stroke:#2e7d4f,color:#123b24",
    "classDef lost_stage fill:#f6eaea,stroke:#9a4a4a,color:#4a1f1f",
    "classDef first_stage stroke-width:3px",
)


def mermaid(picture: Picture) -> str:
    """A flowchart: a box for each stage, an arrow for each drawn move with the ids of what it asks."""
    names = _identifiers(picture)
    lines = ["---", f'title: "{_escaped(picture.name)}"', "---", "flowchart TD"]
    lines += [f"  {_box(names[node.key], node)}" for node in picture.nodes]
    lines += [f"  {_arrow(names, arrow)}" for arrow in picture.arrows]
    lines += [f"  class {names[node.key]} {node.kind}_stage" for node in picture.nodes]
    lines += [f"  class {names[node.key]} first_stage" for node in picture.nodes if node.start]
    return "\n".join([*lines, *(f"  {style}" for style in _STYLES)]) + "\n"


def _identifiers(picture: Picture) -> dict[str, str]:
    """Keys as Mermaid takes them: prefixed, for `end` and the like are its own words, and in plain letters."""
    taken: dict[str, str] = {}
    for index, node in enumerate(picture.nodes):
        name = f"stage_{node.key.replace('-', '_').replace(':', '_')}"
        taken[node.key] = f"{name}_{index}" if name in taken.values() else name
    return taken


def _box(name: str, node: Node) -> str:
    opening, closing = _SHAPES[node.kind]
    beneath = "".join(f"<br/><small>{_escaped(line)}</small>" for line in node.beneath)
    return f"{name}{opening}{_escaped(node.name)}{beneath}{closing}"


def _arrow(names: dict[str, str], arrow: Arrow) -> str:
    label = "<br/>".join(_escaped(asked.id) for asked in arrow.requires)
    line = f'-->|"{label}"|' if label else "-->"
    return f"{names[arrow.source]} {line} {names[arrow.to]}"


def _escaped(text: str) -> str:
    """Everything that could mean something to Mermaid, to HTML or to Markdown, as a character code."""
    return _SPECIAL.sub(lambda found: f"#{ord(found.group())};", text)
