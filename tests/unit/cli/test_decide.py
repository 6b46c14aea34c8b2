"""`stagerail decide` and `stagerail suggest`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.said import EXAMPLES, Said, Stagerail

PROCESS, DEAL = EXAMPLES / "b2b-saas.yaml", EXAMPLES / "deal.json"
AS_OF = ("--as-of", "2026-11-23T10:00:00Z")

BLOCKED = """\
✗ blocked: from “Demo scheduled” to “Demo completed”, as of 23 November 2026 at 11:00

  ✗ Hold the demo and log it as held  [demo-held]
      no demo held since 10 November 2026; 1 needed
      → hold a product demo and log it as held

  ! Hold a product demo with the champion and log it as held  [champion-saw-it]
      no demo held with the champion since 10 November 2026; 1 needed

  · Hold a product demo with 2 different people and log it as held  [two-people-saw-it]
      no demo held; 1 needed, 2 different people needed

"""


def deal_with(**changes: Any) -> bytes:
    return json.dumps({**json.loads(DEAL.read_text()), **changes}).encode()


HELD = [
    {"id": "a-2", "activity": "demo", "at": "2026-11-20T15:00:00Z", "status": "done", "outcome": "held",
     "contacts": ["carla", "elio"]},
]  # fmt: skip


def test_a_blocked_move_says_what_is_missing_with_figures_and_the_way_out(stagerail: Stagerail) -> None:
    assert stagerail("decide", PROCESS, DEAL, "--to", "demo_completed", *AS_OF) == Said(1, BLOCKED, "")


def test_the_same_in_italian(stagerail: Stagerail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "it_IT.UTF-8")
    said = stagerail("decide", PROCESS, DEAL, "--to", "demo_completed", *AS_OF)
    assert said.out.splitlines()[2:5] == [
        "  ✗ Svolgi la demo e registrala come svolta  [demo-held]",
        "      nessuna demo svolta dal 10 novembre 2026; ne serve 1",
        "      → svolgi una demo del prodotto e registrala come svolta",
    ]


def test_an_allowed_move_is_status_0_even_with_warnings(stagerail: Stagerail) -> None:
    said = stagerail("decide", PROCESS, "-", "--to", "demo_completed", *AS_OF, stdin=deal_with(activities=HELD))
    assert (said.status, said.out.splitlines()[0][:9]) == (0, "✓ allowed")


def test_as_json_it_is_the_answer_of_the_server(stagerail: Stagerail) -> None:
    said = stagerail("decide", PROCESS, DEAL, "--to", "demo_completed", "--json", *AS_OF)
    decision = json.loads(said.out)
    assert (said.status, decision["outcome"], decision["as_of"]) == (1, "blocked", "2026-11-23T10:00:00Z")
    assert list(decision) == [
        "decision_id", "outcome", "process", "from", "to", "from_buyer", "to_buyer", "as_of", "findings", "satisfied",
        "not_applicable", "waived",
        "facts",
    ]  # fmt: skip
    assert decision["findings"][0] == {
        "code": "activity_missing",
        "severity": "block",
        "requirement": "demo-held",
        "at": "transition",
        "message": "Hold the demo and log it as held",
        "detail": "no demo held since 10 November 2026; 1 needed",
        "expected": {"activity": "demo", "outcome": "held", "at_least": 1},
        "actual": {"count": 0, "ignored": [{"id": "a-1", "because": "outcome"}]},
        "remediation": [{"kind": "do_activity", "activity": "demo", "outcome": "held", "times": 1}],
    }


def test_the_actor_and_the_roles_count(stagerail: Stagerail) -> None:
    deal = deal_with(stage="lost", stage_entered_at="2026-11-01T09:00:00Z")
    asked = ("decide", PROCESS, "-", "--to", "discovery", *AS_OF, "--actor", "mara")
    statuses = [stagerail(*asked, "--role", role, stdin=deal).status for role in ("sales_manager", "rep")]
    assert statuses == [0, 1]


def test_every_wrong_value_of_a_deal_is_told_with_its_place(stagerail: Stagerail, tmp_path: Path) -> None:
    deal = tmp_path / "deal.json"
    deal.write_text(
        '{"stage": "new",\n "stag": 1,\n "created_at": "2026-11-10T09:00:00",\n "activities": [{"id": ""}]}'
    )
    said = stagerail("decide", PROCESS, deal, "--to", "discovery")
    assert said == Said(
        1,
        "",
        f"{deal}:3:16: error: `created_at`: this time has no offset; add Z or one such as +01:00 [timezone_aware]\n"
        f"{deal}:4:24: error: `activities[0].id`: too short; at least 1 characters are needed [string_too_short]\n"
        f"{deal}:4:17: error: `activities[0].activity`: this is required and missing [missing]\n"
        f"{deal}:4:17: error: `activities[0].at`: this is required and missing [missing]\n"
        f"{deal}:4:17: error: `activities[0].status`: this is required and missing [missing]\n"
        f"{deal}:2:2: error: `stag`: unknown field; remove it or check its spelling [extra_forbidden]\n",
    )


def test_a_deal_in_an_unknown_stage_is_an_error_in_its_file(stagerail: Stagerail) -> None:
    said = stagerail("decide", PROCESS, "-", "--to", "discovery", stdin=b'{"stage": "nwe"}')
    assert (said.status, said.err.partition(" is")[0]) == (
        1,
        "<stdin>:1:11: error: the process has no stage `nwe`; its stages are `new`, `discovery`, `demo_scheduled`, "
        "`demo_completed`, `proposal`, `negotiation`, `won`, `lost` [unknown_stage]\n".partition(" is")[0],
    )


WRONG: dict[str, tuple[list[str | Path], str]] = {
    "an unknown stage to go to": ([PROCESS, DEAL, "--to", "nowhere"], "the process has no stage `nowhere`"),
    "a time without an offset": ([PROCESS, DEAL, "--to", "new", "--as-of", "2026-11-23T10:00:00"], "`2026-11-23T10:00"),
    "a day that does not exist": ([PROCESS, DEAL, "--to", "new", "--as-of", "2026-02-30T10:00:00Z"], "`2026-02-30T10"),
    "a time out of all reason": ([PROCESS, DEAL, "--to", "new", "--as-of", "0001-01-01T00:00:00+14:00"], "`0001-01"),
    "a role without an actor": ([PROCESS, DEAL, "--to", "new", "--role", "rep"], "`--role` needs `--actor`"),
    "two files from one input": (["-", "-", "--to", "new"], "only one of the two files"),
    "no such deal": ([PROCESS, "no.json", "--to", "new"], "there is no file `no.json`"),
    "a name with a NUL": ([PROCESS, "no\0.json", "--to", "new"], "there is no file"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_usage_is_one_line_and_status_2(stagerail: Stagerail, wrong: str) -> None:
    arguments, sentence = WRONG[wrong]
    said = stagerail("decide", *arguments)
    assert (said.status, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith(f"stagerail: error: {sentence}")


def test_a_process_with_errors_judges_nothing(stagerail: Stagerail) -> None:
    said = stagerail("decide", "-", DEAL, "--to", "won", stdin=b"process: x\nstages: [{key: A}]\n")
    assert (said.status, said.out, said.err.startswith("<stdin>:2:16: error:")) == (1, "", True)


def test_as_json_an_error_in_a_file_is_json(stagerail: Stagerail) -> None:
    said = stagerail("decide", PROCESS, "-", "--to", "won", "--json", stdin=b'{"stage": 7}')
    problem = {
        "file": "<stdin>",
        "line": 1,
        "column": 11,
        "severity": "error",
        "code": "string_type",
        "message": "`stage`: this must be text",
        "place": "stage",
    }
    answer = {
        "type": "/problems/invalid-request",
        "title": "the request does not fit",
        "detail": "1 value is wrong; see `errors`",
        "status": 422,
        "errors": [problem],
    }
    assert (said.status, json.loads(said.out), said.err) == (1, answer, "")


def test_suggestions_are_ranked_with_effort_and_reason(stagerail: Stagerail) -> None:
    said = stagerail("suggest", PROCESS, DEAL, "--limit", "1", *AS_OF)
    assert said == Said(
        0,
        "plan: “Demo scheduled” → “Demo completed” → “Proposal” → “Negotiation” → “Won”, 12 open requirements, "
        "3 h 10 min of work, 9 days ahead\n"
        "\n"
        "  1. Hold a product demo and log it as held: Show the three screens they asked about, nothing else  "
        "(needed, 1 h of work, 3 days ahead)\n"
        "     for: demo-held\n",
        "",
    )


def test_suggestions_are_the_answer_of_the_server_as_json(stagerail: Stagerail) -> None:
    advice = json.loads(stagerail("suggest", PROCESS, DEAL, "--goal", "demo_completed", "--json", *AS_OF).out)
    assert (advice["goal"], advice["plan"]["stages"], advice["suggestions"][0]["activity"]) == (
        "demo_completed",
        ["demo_completed"],
        "demo",
    )


def test_brief_suggestions_say_what_to_do_and_no_more(stagerail: Stagerail) -> None:
    asked = ("suggest", PROCESS, DEAL, "--limit", "1", *AS_OF)
    assert stagerail(*asked, "--detail", "full") == stagerail(*asked)
    brief = stagerail(*asked, "--detail", "brief")
    assert (0, brief.out.splitlines()[-1]) == (
        brief.status,
        "  1. Hold a product demo and log it as held: Show the three screens they asked about, nothing else  (needed)",
    )
    [item] = json.loads(stagerail(*asked, "--detail", "brief", "--json").out)["suggestions"]
    assert {"why", "how", "unlocks", "because", "effort_minutes"} & set(item) == set()


def test_a_goal_out_of_reach_says_what_stands_in_the_way(stagerail: Stagerail) -> None:
    lost = deal_with(stage="lost", stage_entered_at="2026-08-01T09:00:00Z")
    said = stagerail("suggest", PROCESS, "-", *AS_OF, stdin=lost)
    assert (said.status, said.out.splitlines()[0]) == (
        0,
        "✗ “Won” cannot be reached from here; what stands in the way:",
    )
    assert "[manager-reopens]" in said.out


def test_an_unknown_goal_is_wrong_usage(stagerail: Stagerail) -> None:
    said = stagerail("suggest", PROCESS, DEAL, "--goal", "moon")
    assert (said.status, said.err.startswith("stagerail: error: the process has no stage `moon`")) == (2, True)
