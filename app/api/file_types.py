"""In which form a process file comes, and in which one it is wanted: YAML or JSON."""

import json
from typing import Literal

import yaml

from app.api.bodies import media_type
from app.api.problems import Problem

YAML = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml")
YAML_TYPE = "application/yaml; charset=utf-8"


def file_type(found: str) -> str:
    """What a body says it is: YAML or JSON. Raises unsupported-media-type."""
    media = media_type(found)
    if media in YAML:
        return "application/yaml"
    if media == "application/json":
        return "application/json"
    raise Problem("unsupported-media-type", found=found[:200] or "-", allowed=["application/yaml", "application/json"])


def accepted(accept: str) -> Literal["json", "yaml"]:
    """JSON unless YAML is asked for by name."""
    media = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    if media & {"*/*", "application/json", "application/*", ""}:
        return "json" if not media & set(YAML) or "application/json" in media else "yaml"
    if media & set(YAML):
        return "yaml"
    raise Problem("not-acceptable", allowed=["application/json", "application/yaml"])


def as_yaml(source: str) -> str:
    """A JSON file written as YAML."""
    text: str = yaml.safe_dump(json.loads(source), allow_unicode=True, sort_keys=False)
    return text
