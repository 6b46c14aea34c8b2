"""Reading bytes: values of the YAML 1.2 core schema and of JSON, their places, and everything that is refused."""

import time
from typing import Any

import pytest
import yaml

from app.engine import yaml_reader
from app.engine.errors import FileProblem
from app.engine.nodes import Marks
from app.engine.source import LARGEST, read_source

PARSERS = ["CSafeLoader", "SafeLoader"]


def plain(text: str) -> Any:
    source = read_source(text.encode())
    assert () == source.problems
    assert source.root is not None
    return source.root.plain()


def refused(data: bytes | str) -> list[tuple[str, int, int, dict[str, Any]]]:
    source = read_source(data.encode() if isinstance(data, str) else data)
    return [(problem.code, problem.line, problem.column, problem.params) for problem in source.problems]


@pytest.fixture(params=PARSERS)
def _each_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_reader, "_LOADER", getattr(yaml, request.param))


CORE: list[tuple[str, Any]] = [
    ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None), ("nULL", "nULL"),
    ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"),
    ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
    ("0", 0), ("-12", -12), ("+7", 7), ("012", 12), ("0o17", 15), ("0x1F", 31), ("0b11", "0b11"), ("-0x1F", "-0x1F"),
    ("1_000", "1_000"), ("12:30", "12:30"), ("190:20:30", "190:20:30"), ("2027-01-01", "2027-01-01"),
    ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1.5E-2", -0.015), ("1.2.3", "1.2.3"),
    ("+", "+"), (".", "."),
    ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)),
    ("'12'", "12"), ('"true"', "true"), ("'~'", "~"), ('"a\\u00e9"', "aé"), ("<<", "<<"), ("=", "="),
]  # fmt: skip


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize(("word", "value"), CORE)
def test_plain_words_are_read_by_the_core_schema(word: str, value: Any) -> None:
    assert {"a": value} == plain(f"a: {word}\n")


@pytest.mark.usefixtures("_each_parser")
def test_block_texts_are_texts() -> None:
    assert {"a": "12\n", "b": "1 2\n"} == plain("a: |\n  12\nb: >\n  1\n  2\n")


JSON: list[tuple[str, Any]] = [
    ("{}", {}), ("[]", []), (' \r\n\t{"a" : [1 , -2.5, 1e3, true,false , null, "x\\u00e9\\n"] , "b": {}}\n',
     {"a": [1, -2.5, 1000.0, True, False, None, "xé\n"], "b": {}}),
    ("[0, -0, 0.5]", [0, 0, 0.5]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), JSON)
def test_json_is_read_as_json(text: str, value: Any) -> None:
    assert value == plain(text)


@pytest.mark.parametrize(
    "text",
    ["a: é\nbb:\n  - x: 1\n    y: [p, {q: r}]\n", '{"a": "é",\n"bb":[\n  {"x": 1,\n    "y": ["p", {"q": "r"}]}]}\n'],
)
def test_every_value_and_key_has_its_place(text: str) -> None:
    source = read_source(text.encode())
    marks = Marks(source.root)
    lines = text.splitlines()
    for path, written, value, key in [
        (("a",), "a", "é", "a"),
        (("bb", 0, "y", 0), "bb[0].y[0]", "p", None),
        (("bb", 0, "y", 1, "q"), "bb[0].y[1].q", "r", "q"),
        (("bb", 0, "requirement:any", "x"), "bb[0].x", "1", "x"),
    ]:
        place = marks.place(path)
        assert (written, value) == (place.path, lines[place.line - 1][place.column - 1 :].lstrip('"')[: len(value)])
        named = marks.key_place(path)
        if key:
            assert key == lines[named.line - 1][named.column - 1 :].lstrip('"')[: len(key)]


def test_a_path_that_leads_nowhere_ends_at_the_last_known_place() -> None:
    marks = Marks(read_source(b"a:\n  - b: 1\n").root)
    assert ("a[0]", 2, 5) == marks.place(("a", 0, "c", "d"))
    assert ("a", 2, 3) == marks.place(("a", 5))
    assert ("a[0].b", 2, 8) == marks.place(("a", 0, "b", "key"))
    assert ("x[0].y", 0, 0) == Marks().place(("x", 0, "y"))
    assert ("x[0].y", 0, 0) == Marks().key_place(("x", 0, "y"))


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: *x\n", [("no_aliases", 1, 4, {"alias": "x"})]),
        ("a: &x 1\n", [("no_anchors", 1, 4, {"anchor": "x"})]),
        ("a: !!str 1\n", [("no_tags", 1, 4, {"tag": "tag:yaml.org,2002:str"})]),
        ("a: !x [1]\n", [("no_tags", 1, 4, {"tag": "!x"})]),
        ("a: 1\n---\nb: 2\n", [("one_document", 2, 1, {})]),
        ("a: 1\nb: 2\na: 3\n", [("duplicate_key", 3, 1, {"key": "a", "line": 1, "column": 1})]),
        ("1: x\n", [("key_not_text", 1, 1, {"found": "number"})]),
        ("~: x\n", [("key_not_text", 1, 1, {"found": "null"})]),
        ("true: {b: 1}\n", [("key_not_text", 1, 1, {"found": "boolean"})]),
        ("? [a]\n: x\n", [("key_not_text", 1, 3, {"found": "list"})]),
        ("? {a: b}\n: x\n", [("key_not_text", 1, 3, {"found": "mapping"})]),
        ("a: 9223372036854775808\n", [("number_too_big", 1, 4, {"value": "9223372036854775808"})]),
        (f"a: {'9' * 5000}\n", [("number_too_big", 1, 4, {"value": "9" * 79 + "…"})]),
        ("a: .nan\n", [("number_not_finite", 1, 4, {"value": ".nan"})]),
        ("a: -.inf\n", [("number_not_finite", 1, 4, {"value": "-.inf"})]),
        ("a: 1e999\n", [("number_not_finite", 1, 4, {"value": "1e999"})]),
        ('a: "x\\0"\n', [("bad_character", 1, 4, {"character": "U+0000"})]),
        ('a: "\\x1b"\n', [("bad_character", 1, 4, {"character": "U+001B"})]),
        (
            "a: *x\nb: .nan\nb: !y\n",
            [
                ("no_aliases", 1, 4, {"alias": "x"}),
                ("number_not_finite", 2, 4, {"value": ".nan"}),
                ("duplicate_key", 3, 1, {"key": "b", "line": 2, "column": 1}),
                ("no_tags", 3, 4, {"tag": "!y"}),
            ],
        ),
    ],
)
def test_what_no_process_file_needs_is_refused_in_its_place(text: str, expected: list[Any]) -> None:
    assert expected == refused(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "a": 2}', [("duplicate_key", 1, 10, {"key": "a", "line": 1, "column": 2})]),
        ('{"a": 9223372036854775808}', [("number_too_big", 1, 7, {"value": "9223372036854775808"})]),
        ("[1e999]", [("number_not_finite", 1, 2, {"value": "1e999"})]),
        ('["\\ud800"]', [("bad_character", 1, 2, {"character": "U+D800"})]),
        ('["\\u0000"]', [("bad_character", 1, 2, {"character": "U+0000"})]),
        ('{"\\udfff": 1}', [("bad_character", 1, 2, {"character": "U+DFFF"})]),
    ],
)
def test_what_json_could_smuggle_in_is_refused_in_its_place(text: str, expected: list[Any]) -> None:
    assert expected == refused(text)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("{", 1, 2), ("[", 1, 2), ("[1", 1, 3), ("[1,]", 1, 4), ('{"a"}', 1, 5), ('{"a" 1}', 1, 6), ("{a: 1}", 1, 2),
        ('{"a": 1,}', 1, 9), ("[01]", 1, 3), ("[nan]", 1, 2), ("[NaN]", 1, 2), ("[Infinity]", 1, 2), ("['x']", 1, 2),
        ('["x]', 1, 2), ('["\\q"]', 1, 3), ('["a\nb"]', 1, 4), ("[1]\n[2]", 2, 1), ("[+1]", 1, 2), ("[1 2]", 1, 4),
    ],
)  # fmt: skip
def test_broken_json_is_told_with_its_place(text: str, line: int, column: int) -> None:
    [(code, *place, params)] = refused(text)
    assert ("syntax", [line, column], "json") == (code, place, params["format"])


@pytest.mark.usefixtures("_each_parser")
@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a: b: c\n", 1, 5), ("a: 1\n b: 2\n", 2, 3), ("a: @x\n", 1, 4), ('a: "\\q"\n', 1, 6)],
)
def test_broken_yaml_is_told_with_its_place(text: str, line: int, column: int) -> None:
    [(code, *place, params)] = refused(text)
    assert ("syntax", line, "yaml") == (code, place[0], params["format"])
    assert abs(column - place[1]) <= 1
    assert params["reason"]


def test_half_a_character_pair_in_yaml_is_refused_by_both_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ["syntax"] == [code for code, *_ in refused('a: "\\ud800"\n')]
    monkeypatch.setattr(yaml_reader, "_LOADER", yaml.SafeLoader)
    assert ["bad_character"] == [code for code, *_ in refused('a: "\\ud800"\n')]


def test_a_parser_failure_without_a_place_is_told_at_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_text: str) -> None:
        raise yaml.YAMLError

    monkeypatch.setattr(yaml_reader, "_LOADER", failing)
    assert [("syntax", 1, 1, {"format": "yaml", "reason": "not readable"})] == refused("a: 1\n")


@pytest.mark.parametrize("text", ["", " \n", "# only a comment\n", "\ufeff"])
def test_an_empty_file_is_told(text: str) -> None:
    assert [("empty_file", 1, 1, {})] == refused(text)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a: 1\nb: \xff\n", ("not_utf8", 2, 4, {})),
        ("a: é".encode("utf-16"), ("not_utf8", 1, 1, {})),
        (b"a: 1\r\nb: \x00\n", ("bad_character", 2, 4, {"character": "U+0000"})),
        (b"a: 1\rb: \x1b\n", ("bad_character", 2, 4, {"character": "U+001B"})),
        (b'{"a": "\x00"}', ("bad_character", 1, 8, {"character": "U+0000"})),
        (b"a: \xed\xa0\x80\n", ("not_utf8", 1, 4, {})),
    ],
)
def test_bytes_that_are_no_text_are_refused_with_their_place(data: bytes, expected: Any) -> None:
    assert [expected] == refused(data)


def test_a_byte_order_mark_is_accepted() -> None:
    assert {"a": 1} == plain("\ufeffa: 1\n")
    assert {"a": 1} == plain('\ufeff{"a": 1}')


def test_depth_is_limited_to_64() -> None:
    for text in ("a: " + "[" * 63 + "]" * 63, '{"a":' + "[" * 63 + "]" * 63 + "}"):
        assert [] == refused(text)
    for text in ("a: " + "[" * 64 + "]" * 64, '{"a":' + "[" * 64 + "]" * 64 + "}", "- " * 65 + "x"):
        assert ["too_deep"] == [code for code, *_ in refused(text)]


HOSTILE = [
    b"[" * 100_000, b"a: " + b"[" * 100_000, b"{" * 100_000, b"a: " + b"{a: " * 100_000, b'{"a":' * 100_000,
    b"- " * 100_000, b"? " * 100_000, b"x: [" + b"1," * 400_000 + b"]", b"[" + b"1," * 400_000 + b"1]",
    b"x" * 10_000_000, b"[" * 10_000_000, b'"' * 1_000_000, b"a: &a [*a, *a]\n" * 50_000, b"!" * 1_000_000,
    b"\n" * 1_000_000 + b"[", b"a: " + b"9" * 1_000_000,
]  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_files_are_refused_quickly(data: bytes) -> None:
    started = time.perf_counter()
    found: tuple[FileProblem, ...] = read_source(data).problems
    assert found
    assert time.perf_counter() - started < 3


def test_a_file_over_one_mebibyte_is_refused_unread() -> None:
    assert [("too_large", 1, 1, {"most": LARGEST, "found": LARGEST + 1})] == refused(b" " * (LARGEST + 1))
