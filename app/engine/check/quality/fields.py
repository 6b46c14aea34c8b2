"""Fields: those that nothing asks for, and free text where a choice list would do."""

from collections.abc import Iterator, Mapping

from app.engine.check.quality.uses import used_fields
from app.engine.check.quality.view import Found, View, leaves
from app.engine.check.quality.words import Spoken, known, lexicon, row, spoken
from app.engine.check.walk import every_condition
from app.engine.conditions import FieldCondition

_FIXED = ("equals", "in")

_CHOICES: Mapping[str, frozenset[str]] = {
    "industry": row("customer client company account main"),
    "sector": row("customer client company account main"),
    "source": row("lead deal contact opportunity customer client original marketing prospect inquiry"),
    "reason": row("lost loss closed close win won disqualification rejection refusal churn"),
    "settore": row("merceologico industriale cliente del azienda"),
    "provenienza": row("lead contatto cliente opportunità trattativa del della"),
    "fonte": row("lead contatto cliente opportunità trattativa del della"),
    "motivo": row("perdita perso persa chiusura rifiuto scarto vittoria della di del per"),
}
"""A field whose name is this word, and at most such words beside it, has few answers. `reason` and `motivo` alone
could be the buyer's own: they need one."""

_NEEDS_MORE = frozenset({"reason", "motivo"})
_WHY = row("reason reasons why cause motivo motivi motivazione causa perché perche")
_LINKS = lexicon(en="for of the", it="di del della per la il")


def unused_fields(view: View) -> Iterator[Found]:
    """Each field that nothing asks for."""
    used = used_fields(view)
    for index, field in enumerate(view.process.fields):
        if field.key not in used:
            yield Found(view.marks.place(("fields", index)), {"field": field.key}, (field.key,))


def free_texts_for_choices(view: View) -> Iterator[Found]:
    """Each text field that is compared with fixed values, or whose name asks for one of a few answers."""
    compared = {
        condition.field
        for _, condition in every_condition(view.process)
        if isinstance(condition, FieldCondition) and condition.comparison in _FIXED
    }
    reasons = _only_reasons(view)
    for index, field in enumerate(view.process.fields):
        if field.type != "text":
            continue
        texts = list(spoken(field.key, field.name, ("fields", index)))
        why = field.key in reasons and any(not _WHY.isdisjoint(text.words) for text in texts)
        if field.key in compared or why or any(map(_few_answers, texts)):
            params = {"field": field.key, "because": "compared" if field.key in compared else "few_answers"}
            yield Found(view.marks.place(("fields", index, "type")), params, (field.key,))


def _only_reasons(view: View) -> set[str]:
    """The fields asked on the way to lost, where no choice among them gives the reason already."""
    asked = [
        leaf.field
        for move in view.process.edges
        if view.kind(move[1]) == "lost"
        for requirement in view.asks(move)
        for leaf in leaves(requirement)
        if isinstance(leaf, FieldCondition)
    ]
    choices = {field.key for field in view.process.fields if field.type == "choice"}
    return set(asked) if choices.isdisjoint(asked) else set()


def _few_answers(text: Spoken) -> bool:
    links = known(_LINKS, text.language)
    for word, beside in _CHOICES.items():
        others = [one for one in text.words if one != word]
        if len(others) < len(text.words) and set(others) <= beside | links:
            return word not in _NEEDS_MORE or not set(others) <= links
    return False
