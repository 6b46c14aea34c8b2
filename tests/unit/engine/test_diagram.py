"""Diagrams: Mermaid, SVG and JSON show every stage and every drawn move, whatever authors write into names."""

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.engine import Process
from app.engine.diagram import diagram
from app.engine.layout import WIDTH, label_lines, layout
from app.engine.picture import Asked, picture_of
from tests.builders_file import SOUND

NASTY = '<script>alert("1")</script> & `x` ]] %% \\ #34; --> \x1b'


def process(**parts: Any) -> Process:
    return Process.model_validate({**SOUND, **parts})


BUSY = process(
    process="busy",
    name={"en": "Busy", "it": "Piena"},
    stages=[
        {
            "key": "new",
            "name": {"en": "New deal", "it": "Nuova"},
            "buyer": "need",
            "exit": [{"id": "out", "contact": "buyer"}],
        },
        {"key": "end", "enter": [{"id": "in", "mover": ["rep"]}]},
        {"key": "a-b"},
        {"key": "a_b", "name": "A very long name that does not fit into one line and not even into two of them"},
        {"key": "lost", "kind": "lost"},
        {"key": "won", "kind": "won"},
        {"key": "parked", "kind": "lost", "name": NASTY},
    ],
    start=["new", "end"],
    path=["new", "end", "a-b", "a_b", "won"],
    transitions=[
        {"from": "open", "to": "lost", "requires": [{"id": "why", "field": "note", "is": "present"}]},
        {"from": "open", "to": "end", "requires": [{"id": f"q{n}", "contact": "buyer"} for n in range(7)]},
        {"from": "a-b", "to": "won", "requires": [{"id": "quick", "stage_age": {"at_most": "3d"}}]},
        {"from": "a_b", "to": "a_b"},
        {"from": "lost", "to": "new", "requires": [{"id": "again", "deal_age": {"at_least": "90d"}}]},
        {"from": "lost", "to": "parked"},
    ],
)  # fmt: skip

DRAWN = [
    ("new", "end", "open"), ("end", "a-b", "path"), ("a-b", "a_b", "path"), ("a_b", "won", "path"),
    ("new", "lost", "open"), ("end", "lost", "open"), ("a-b", "lost", "open"), ("a_b", "lost", "open"),
    ("a-b", "end", "open"), ("a_b", "end", "open"),
    ("a-b", "won", "name"), ("a_b", "a_b", "name"), ("lost", "new", "name"), ("lost", "parked", "name"),
]  # fmt: skip


def test_json_gives_nodes_and_edges_with_what_they_ask() -> None:
    data = json.loads(diagram(BUSY, "json"))
    assert ("busy", "Busy") == (data["process"], data["name"])
    assert {
        "key": "new",
        "name": "New deal",
        "kind": "open",
        "buyer": "need",
        "start": True,
        "enter": [],
        "exit": [{"id": "out", "kind": "contact"}],
    } == data["nodes"][0]
    assert DRAWN == [(edge["from"], edge["to"], edge["by"]) for edge in data["edges"]]
    assert [{"id": "why", "kind": "field"}] == data["edges"][4]["requires"]
    assert "Nuova" == json.loads(diagram(BUSY, "json", "it"))["nodes"][0]["name"]


@pytest.mark.parametrize(
    ("name", "locale", "expected"),
    [
        ("Plain", "it", "Plain"),
        ({"en": "E", "it": "I"}, "it", "I"),
        ({"en": "E", "it": "I"}, "fr", "E"),
        ({"it": "I"}, "en", "I"),
        (" two\n lines ", "en", "two lines"),
        (None, "en", "test"),
    ],
)
def test_a_name_is_said_in_the_language_asked_for_or_the_nearest(name: Any, locale: str, expected: str) -> None:
    assert expected == picture_of(process(name=name), locale).name


def test_mermaid_draws_every_stage_and_move() -> None:
    first = {**SOUND["stages"][0], "name": "First", "buyer": "need"}
    asked = [{"id": "a", "contact": "buyer"}, {"id": "b-c", "mover": ["rep"]}]
    edges = [{"from": "first", "to": "second", "requires": asked}]
    text = diagram(process(stages=[first, *SOUND["stages"][1:]], transitions=edges), "mermaid")
    assert """---
title: "test"
---
flowchart TD
  stage_first["First<br/><small>need</small>"]
  stage_second["second"]
  stage_won(["won"])
  stage_lost(["lost"])
  stage_first -->|"a<br/>b-c"| stage_second
  stage_second --> stage_won
  class stage_first open_stage
  class stage_second open_stage
  class stage_won won_stage
  class stage_lost lost_stage
  class stage_first first_stage
""" == text[: text.index("  classDef")]


def test_mermaid_keeps_stages_apart_and_authors_texts_harmless() -> None:
    text = diagram(BUSY, "mermaid")
    assert ["stage_a_b", "stage_a_b_3"] == re.findall(r"^  (stage_a_b\w*)\[", text, re.MULTILINE)
    assert len(DRAWN) == text.count("-->")
    [parked] = re.findall(r"stage_parked\(\[(.*)\]\)", text)
    assert not set("<>&`]%\\") & set(re.sub(r"#\d+;", "", parked.strip('"')).replace("%", ""))
    assert "#60;script#62;alert(#34;1#34;)#60;/script#62;" in parked


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own drawing


NS = {"s": "http://www.w3.org/2000/svg"}


def test_svg_draws_every_stage_and_move_and_says_so_in_words() -> None:
    drawing = parsed(diagram(BUSY, "svg"))
    assert "Busy" == drawing.findtext("s:title", namespaces=NS)
    assert len(DRAWN) == len(drawing.findall("s:polyline", NS))
    described = drawing.findtext("s:desc", "", NS)
    assert len(DRAWN) == described.count("→")
    assert "New deal → lost: why." in described
    words = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"New deal", "need", "out →", "→ in", "why", "quick", "again", "+ 3"} <= set(words)
    assert {"img"} == {drawing.get("role")}


def test_svg_runs_nothing_that_an_author_writes() -> None:
    text = diagram(
        process(name=NASTY, stages=[{"key": "first", "name": NASTY, "kind": "open"}], path=[], transitions=[]), "svg"
    )
    assert not re.search(r"<script|javascript:|\bon\w+=|<style|href|\x1b", text)
    assert NASTY.replace("\x1b", "").split() == parsed(text).findtext("s:title", "", NS).split()


def test_boxes_never_overlap_and_everything_lies_within_the_picture() -> None:
    plan = layout(picture_of(BUSY, "en"))
    boxes = list(plan.boxes.values())
    for one in boxes:
        assert 0 <= one.x <= one.x + WIDTH <= plan.width
        assert 0 <= one.y < one.bottom <= plan.height
        for other in boxes:
            apart = one.bottom <= other.y or other.bottom <= one.y or abs(one.x - other.x) >= WIDTH
            assert one is other or apart
    drawing = parsed(diagram(BUSY, "svg"))
    for line in drawing.findall("s:polyline", NS):
        for point in line.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 < x < plan.width
            assert 0 < y < plan.height
    lanes = [lane.x for lane in plan.lanes if lane.x is not None]
    assert len(lanes) == len(set(lanes))


def test_moves_that_ask_the_same_of_one_stage_share_a_lane() -> None:
    plan = layout(picture_of(BUSY, "en"))
    assert [("new", "end", "a-b", "a_b")] == [lane.sources for lane in plan.lanes if lane.to == "lost"]


def test_a_process_of_one_stage_can_be_drawn() -> None:
    alone = process(stages=[{"key": "only"}], path=[], transitions=[])
    assert [] == parsed(diagram(alone, "svg")).findall("s:polyline", NS)
    assert "stage_only" in diagram(alone, "mermaid")
    closed = process(stages=[{"key": "won", "kind": "won"}], path=[], transitions=[])
    assert "won" in diagram(closed, "svg")


def test_long_lists_of_requirements_are_cut() -> None:
    assert ("a", "b") == label_lines((Asked("a", "field"), Asked("b", "field")))
    assert ("0", "1", "2", "3", "+ 2") == label_lines(tuple(Asked(str(n), "field") for n in range(6)))


BOUGHT = process(
    stages=[
        {"key": "new", "buyer": "see_need", "exit": [{"id": "out", "contact": "buyer"}]},
        {"key": "called", "name": {"en": "First call", "it": "Prima telefonata"}, "buyer": "see_need"},
        {"key": "trial"},
        {"key": "tried", "buyer": "trial"},
        {"key": "won", "kind": "won", "buyer": "see_need"},
        {"key": "lost", "kind": "lost"},
    ],
    path=["new", "called", "trial", "tried", "won"],
    transitions=[
        {"from": "new", "to": "trial", "requires": [{"id": "quick", "contact": "buyer"}]},
        {"from": "trial", "to": "new"},
        {"from": "trial", "to": "called"},
        {"from": "open", "to": "lost"},
    ],
)


def test_the_buyer_sees_steps_with_their_stages_and_each_edge_once() -> None:
    text = diagram(BOUGHT, "mermaid", view="buyer")
    assert """---
title: "test"
---
flowchart TD
  stage_see_need["See need<br/><small>new</small><br/><small>First call</small>"]
  stage_trial["trial"]
  stage_trial_open["Trial<br/><small>tried</small>"]
  stage_see_need_won(["See need<br/><small>won</small>"])
  stage_lost(["lost"])
  stage_see_need --> stage_trial
  stage_trial --> stage_trial_open
  stage_trial_open --> stage_see_need_won
  stage_see_need --> stage_lost
  stage_trial --> stage_lost
  stage_trial_open --> stage_lost
  stage_trial --> stage_see_need
  class stage_see_need open_stage
  class stage_trial open_stage
  class stage_trial_open open_stage
  class stage_see_need_won won_stage
  class stage_lost lost_stage
  class stage_see_need first_stage
""" == text[: text.index("  classDef")]


def test_the_buyers_view_tells_programs_the_stages_of_each_step() -> None:
    data = json.loads(diagram(BOUGHT, "json", "it", view="buyer"))
    new = {"key": "new", "name": "new", "kind": "open"}
    called = {"key": "called", "name": "Prima telefonata", "kind": "open"}
    step = {"key": "see_need", "name": "See need", "kind": "open", "buyer": "see_need", "start": True}
    assert {**step, "enter": [], "exit": [], "stages": [new, called]} == data["nodes"][0]
    kinds = [("see_need", "open"), ("trial", "open"), ("trial:open", "open"), ("see_need:won", "won"), ("lost", "lost")]
    assert kinds == [(node["key"], node["kind"]) for node in data["nodes"]]
    assert {"from": "see_need", "to": "trial", "by": "path", "requires": []} in data["edges"]


def test_the_buyers_view_can_be_looked_at() -> None:
    drawing = parsed(diagram(BOUGHT, "svg", view="buyer"))
    words = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert ["See need", "new", "First call", "trial", "Trial", "tried", "See need", "won", "lost"] == words
    assert 7 == len(drawing.findall("s:polyline", NS))
