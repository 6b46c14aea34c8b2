"""The deals of the demo: one for each open stage and a lost one, dated so that they are days old at first sight."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

Deal = dict[str, Any]


def demo_deals(now: datetime) -> list[Deal]:
    """Deals for the process `b2b-saas`, each with its id."""
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)

    def ago(days: float) -> str:
        """A time around noon, so many days before now; a negative number is ahead."""
        return (noon - timedelta(days=days)).isoformat().replace("+00:00", "Z")

    return [_acme(ago), _aurora(ago), _borealis(ago), _corvo(ago), _delta(ago), _elba(ago), _fonte(ago)]


Ago = Callable[[float], str]


def _held(key: str, activity: str, at: str, *contacts: str) -> Deal:
    return {
        "id": key,
        "activity": activity,
        "at": at,
        "status": "done",
        "outcome": "held",
        "contacts": list(contacts),
        "by": "ana",
    }


def _acme(ago: Ago) -> Deal:
    """Just come in: nobody has answered yet."""
    call = {"id": "call-1", "activity": "call", "at": ago(2), "status": "done", "outcome": "no_answer", "by": "ana"}
    return {
        "id": "acme",
        "stage": "new",
        "stage_entered_at": ago(3),
        "created_at": ago(3),
        "owner": "ana",
        "contacts": [{"id": "wile", "role": "user"}],
        "activities": [call],
    }


def _aurora(ago: Ago) -> Deal:
    """The demo was booked, and nobody came."""
    no_show = _held("demo-1", "demo", ago(4), "carla") | {"outcome": "no_show"}
    return {
        "id": "aurora",
        "stage": "demo_scheduled",
        "stage_entered_at": ago(13),
        "created_at": ago(53),
        "owner": "ana",
        "stage_history": [
            {"stage": "new", "entered_at": ago(53)},
            {"stage": "discovery", "entered_at": ago(49)},
            {"stage": "demo_scheduled", "entered_at": ago(13)},
        ],
        "fields": {
            "pain": "Invoices are typed by hand, three people for a week every month",
            "budget": "unknown",
            "amount": 52000,
        },
        "contacts": [{"id": "carla", "role": "champion"}],
        "activities": [_held("met-1", "discovery", ago(46), "carla"), no_show],
    }


def _borealis(ago: Ago) -> Deal:
    """Ready to be moved on: the demo is in the diary."""
    booked = {"id": "demo-1", "activity": "demo", "at": ago(-5), "status": "planned", "contacts": ["nils"], "by": "bo"}
    return {
        "id": "borealis",
        "stage": "discovery",
        "stage_entered_at": ago(9),
        "created_at": ago(16),
        "owner": "bo",
        "fields": {"pain": "Stock is counted on paper in four warehouses", "budget": "requested"},
        "contacts": [{"id": "nils", "role": "champion"}],
        "activities": [_held("met-1", "discovery", ago(7), "nils"), booked],
    }


def _corvo(ago: Ago) -> Deal:
    """Waits for a proposal, without a budget."""
    return {
        "id": "corvo",
        "stage": "demo_completed",
        "stage_entered_at": ago(6),
        "created_at": ago(40),
        "owner": "ana",
        "fields": {
            "pain": "Orders are lost between the shop and the warehouse",
            "budget": "refused",
            "amount": 9000,
            "next_step": "Call Rita after the board meeting",
            "close_on": ago(-60)[:10],
        },
        "contacts": [{"id": "rita", "role": "champion"}, {"id": "ugo", "role": "economic_buyer"}],
        "activities": [_held("demo-1", "demo", ago(6), "rita", "ugo")],
    }


def _delta(ago: Ago) -> Deal:
    """A discount that the sales manager has to approve."""
    return {
        "id": "delta",
        "stage": "proposal",
        "stage_entered_at": ago(5),
        "created_at": ago(70),
        "owner": "bo",
        "fields": {"amount": 24000, "discount": 20, "budget": "approved"},
        "contacts": [{"id": "vera", "role": "economic_buyer"}, {"id": "ivo", "role": "champion"}],
        "activities": [
            {"id": "offer-1", "activity": "proposal", "at": ago(4), "status": "done", "contacts": ["vera"], "by": "bo"}
        ],
    }


def _elba(ago: Ago) -> Deal:
    """Signed, but with personal data, and too big for a rep alone."""
    return {
        "id": "elba",
        "stage": "negotiation",
        "stage_entered_at": ago(8),
        "created_at": ago(120),
        "owner": "ana",
        "fields": {
            "amount": 80000,
            "budget": "approved",
            "personal_data": True,
            "signed_on": ago(1)[:10],
            "starts_on": ago(-30)[:10],
        },
        "contacts": [{"id": "lea", "role": "economic_buyer"}],
    }


def _fonte(ago: Ago) -> Deal:
    """Lost a month ago."""
    return {
        "id": "fonte",
        "stage": "lost",
        "stage_entered_at": ago(31),
        "created_at": ago(90),
        "owner": "bo",
        "fields": {"amount": 15000, "lost_reason": "timing"},
        "contacts": [{"id": "gino", "role": "champion"}],
    }
