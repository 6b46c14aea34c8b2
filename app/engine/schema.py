"""The JSON Schema of process files, YAML and JSON alike: made from the model, tidied so that editors complete well."""

from typing import Any

from app.engine.conditions import COMPARISONS, KINDS
from app.engine.process import Process
from app.engine.schema_words import REQUIREMENT, WORDS

Schema = dict[str, Any]

ID = "urn:stagerail:process-file"
_DAY_POINT = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}|today|[+-][0-9]{1,5}[dw])$"
_FORMS = ("Condition", "Requirement")
_REFERENCE = "#/$defs/"


def process_schema() -> Schema:
    """JSON Schema 2020-12 for a process file. What only the checker can tell (names, fitting) it leaves open."""
    schema = _tidied(Process.model_json_schema(by_alias=True))
    parts: Schema = schema.pop("$defs")
    parts["Requirement"], parts["Nested"] = _union("Requirement"), _union("Condition")
    for name, part in (*parts.items(), ("Process", schema)):
        _describe(part, WORDS.get(_stem(name), {}))
    _sharpen(parts)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID, "title": "Stagerail process"}
    return {**head, **schema, "$defs": dict(sorted(parts.items()))}


def _stem(name: str) -> str:
    for form in _FORMS:
        name = name.removesuffix(form)
    return name


def _camel(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("_"))


def _union(form: str) -> Schema:
    words = {"Requirement": "One explainable condition; it opens with its kind.", "Condition": "A nested requirement."}
    return {"description": words[form], "anyOf": [{"$ref": f"{_REFERENCE}{_camel(kind)}{form}"} for kind in KINDS]}


def _tidied(schema: Any) -> Any:
    """Without generated titles, with one type where several say the same, and with unions of requirements by name."""
    if isinstance(schema, list):
        return [_tidied(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: _tidied(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False  # a text by locale holds locales and nothing else
    for word in ("anyOf", "oneOf"):
        if word in tidy:
            tidy.update(_simpler(tidy.pop(word)))
    return tidy


def _simpler(alternatives: list[Schema]) -> Schema:
    names = [one.get("$ref", "").removeprefix(_REFERENCE) for one in alternatives]
    for form, union in (("Requirement", "Requirement"), ("Condition", "Nested")):
        if all(name.endswith(form) for name in names):
            return {"$ref": f"{_REFERENCE}{union}"}
    bare = [one["type"] for one in alternatives if set(one) == {"type"}]
    if len(bare) < len(alternatives):
        return {"anyOf": alternatives}
    kinds = [kind for kind in bare if kind != "integer" or "number" not in bare]
    return {"type": kinds}


def _describe(part: Schema, words: dict[str, str]) -> None:
    for key, value in part.get("properties", {}).items():
        value["description"] = words.get(key) or REQUIREMENT[key]
        if value.get("default", ...) is None:
            del value["default"]


def _sharpen(parts: Schema) -> None:
    """Say what the model checks by code, as far as a schema can."""
    for form in _FORMS:
        field = parts[f"Field{form}"]
        field["oneOf"] = [{"required": [comparison]} for comparison in COMPARISONS]
        for comparison in ("before", "after"):
            alternatives = field["properties"][comparison]["anyOf"]
            alternatives[0] = {"anyOf": [{"type": "string", "pattern": _DAY_POINT}, {"$ref": f"{_REFERENCE}FieldRef"}]}
    for kind in KINDS:
        requirement = parts[f"{_camel(kind)}Requirement"]
        requirement["description"] = parts[f"{_camel(kind)}Condition"]["description"]
        requirement["properties"]["when"]["properties"] = {"id": False}
    for name in ("Between", "DatedMode"):
        parts[name]["minProperties"] = 1
    for name, word in (("Stage", "open"), ("ActivityType", "any")):
        parts[name]["properties"]["key"]["not"] = {"const": word}
    parts["ProcessField"]["if"] = {"properties": {"type": {"const": "choice"}}, "required": ["type"]}
    parts["ProcessField"]["then"] = {"required": ["choices"], "properties": {"choices": {"minItems": 1}}}
