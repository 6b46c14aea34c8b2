"""One verdict, whoever asks: a CRM's question and its veto answer as our own question does on the same facts."""

import json
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from app import clock
from tests.api.world import YAML, World
from tests.crm.generic_builders import SECRET, signed

FILE = (Path(__file__).parents[2] / "examples" / "b2b-saas.yaml").read_bytes()
PROCESS = yaml.safe_load(FILE)
STAGES = [one["key"] for one in PROCESS["stages"]]
FIELDS = {one["key"]: one for one in PROCESS["fields"]}
OUTCOMES = {one["key"]: [of["key"] if isinstance(of, dict) else of for of in one.get("outcomes", [])]
            for one in PROCESS["activities"]}  # fmt: skip
ROLES = [one["key"] for one in PROCESS["contacts"]]
PEOPLE = {"17": {"id": "rep-7", "roles": ["rep"]}, "18": {"id": "boss", "roles": ["sales_manager"]}}
TEXTS = ("", "n/a", "short", "a text that says something")
SAMPLES = {"number": (0, 1, 52000, 250000), "boolean": (True, False), "date": ("2026-11-20", "2099-03-01"),
           "text": TEXTS}  # fmt: skip
SETTINGS = {
    "crm": "generic",
    "secret": SECRET,
    "on_failure": "closed",
    "stage_property": "/deal/stage",
    "owner_property": "/deal/owner",
    "pipelines": {"all": {"process": "b2b-saas", "stages": {one.upper(): one for one in STAGES}}},
    "fields": {f"/deal/{key}": {"field": key} for key in FIELDS},
    "activities": {
        f"x-{key}": {"activity": key, "outcomes": {one.upper(): one for one in outcomes}}
        for key, outcomes in OUTCOMES.items()
    },
    "contact_roles": {f"the {one}": one for one in ROLES},
    "people": PEOPLE,
    "deliveries": {
        "id": "/deal/id", "at": "/at", "previous_stage": "/before", "changed_by": "/user",
        "activities": {"items": "/deal/activities", "statuses": {"over": "done", "booked": "planned"}},
        "contacts": {"items": "/deal/people"},
    },
}  # fmt: skip


def deal_of(chance: random.Random, now: datetime) -> dict[str, Any]:
    """Any deal, with all its facts."""

    def ago(days: int) -> str:
        return (now - timedelta(days=days, minutes=5)).isoformat()

    entered = ago(chance.randint(1, 15))
    stage = chance.choice(STAGES[:6])
    fields = {
        key: chance.choice(SAMPLES.get(field["type"]) or [one["key"] for one in field["choices"]])
        for key, field in FIELDS.items()
        if chance.random() < 0.6
    }
    activities = []
    for number in range(chance.randint(0, 6)):
        kind, booked = chance.choice(list(OUTCOMES)), chance.random() < 0.3
        one = {"id": f"a-{number}", "activity": kind, "at": ago(-5 if booked else chance.randint(0, 40))}
        told = {"outcome": chance.choice(OUTCOMES[kind])} if OUTCOMES[kind] and not booked else {}
        people = chance.sample(["c-1", "c-2"], chance.randint(0, 2))
        activities.append({**one, **told, "status": "planned" if booked else "done", "contacts": people})
    return {
        "stage": stage, "stage_entered_at": entered, "created_at": ago(60),
        "stage_history": [{"stage": stage, "entered_at": entered}], "owner": "rep-7", "fields": fields,
        "contacts": [{"id": one, "role": chance.choice(ROLES)} for one in ("c-1", "c-2")], "activities": activities,
    }  # fmt: skip


def as_told(deal: dict[str, Any]) -> dict[str, Any]:
    """Its facts in the CRM's words."""
    status = {"done": "over", "planned": "booked"}
    activities = [
        {**one, "type": f"x-{one['activity']}", "status": status[one["status"]],
         **({"outcome": one["outcome"].upper()} if "outcome" in one else {})}
        for one in deal["activities"]
    ]  # fmt: skip
    people = [{**one, "role": f"the {one['role']}"} for one in deal["contacts"]]
    return {**deal["fields"], "activities": activities, "people": people}


def verdict(decision: dict[str, Any]) -> tuple[Any, ...]:
    """What must be the same. An empty text is told as nothing."""
    findings = [
        (one["code"], one["severity"], one["requirement"], one["expected"],
         {**one["actual"], "value": one["actual"].get("value") or None})
        for one in decision["findings"]
    ]  # fmt: skip
    return (
        decision["outcome"],
        decision["from"],
        decision["to"],
        json.dumps(findings, sort_keys=True),
        decision["facts"],
    )


async def test_a_question_a_veto_and_our_own_question_give_one_verdict(world: World) -> None:
    chance = random.Random(7)  # noqa: S311 - any deal will do, the same ones each time
    connection, outcomes = f"all-{world.tenant}", set()
    await world.good("PUT", "/processes/b2b-saas", content=FILE, headers=YAML)
    await world.good("PUT", f"/connections/{connection}", SETTINGS)
    for number in range(60):
        now = clock.now()
        deal, user = deal_of(chance, now), chance.choice([None, *PEOPLE])
        to = chance.choice([one for one in STAGES if one != deal["stage"]])
        told = as_told(deal) if number % 2 else {}
        kept = {**deal, "fields": {}, "contacts": [], "activities": []} if told else deal
        await world.good("PUT", f"/deals/{connection}:{number}", {"process": "b2b-saas", **kept})
        body = {"at": now.isoformat(), "before": deal["stage"].upper(), "user": user,
                "deal": {**told, "id": number, "stage": to.upper()}}  # fmt: skip
        content, headers = signed(body, at=now)
        veto = await world.ask("POST", f"/veto/{connection}", content=content, headers=headers, key=None)
        path = f"/validate-transition?connection={connection}"
        asked = await world.ask("POST", path, content=content, headers=headers, key=None)
        question = {"process": "b2b-saas", "deal": deal, "to": to, "as_of": now.isoformat()}
        own = await world.good(
            "POST", "/validate-transition", {**question, **({"actor": PEOPLE[user]} if user else {})}
        )
        assert verdict(asked.json()) == verdict(own)
        assert [verdict(one) for one in veto.json()["decisions"]] == [verdict(own)]
        assert veto.status_code == {"allowed": 200, "blocked": 409}[own["outcome"]]
        outcomes.add((bool(told), own["outcome"]))
    assert len(outcomes) == 4
