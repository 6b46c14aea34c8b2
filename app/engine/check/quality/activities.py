"""Activities: too many of them, trifles among them, and those that nothing asks for."""

from collections.abc import Iterator

from app.engine.check.quality.levels import MOST_ACTIVITIES
from app.engine.check.quality.uses import used_activities
from app.engine.check.quality.view import Found, View
from app.engine.check.quality.words import Spoken, joined, known, lexicon, row, spoken, words_of

_PAIRS = frozenset({("off", "site"), ("happy", "hour"), ("fuori", "sede"), ("after", "work")})
_TRIFLES_EN = row(
    """lunch lunches dinner dinners breakfast breakfasts brunch coffee coffees drink drinks golf offsite offsites
    karaoke"""
) | {"off site", "happy hour", "after work"}
_TRIFLES_IT = row(
    """pranzo pranzi cena cene colazione colazioni caffè caffe caffé aperitivo aperitivi golf calcetto
    fuorisede"""
) | {"fuori sede"}
_TRIFLES = {"en": _TRIFLES_EN, "it": _TRIFLES_IT}
_GENERAL = lexicon(
    en="""meeting meetings meet meetup catch up chat talk invitation invite date day outing trip round game match
    session event party reception time break quick with at over for the a an and or of to in on our their client clients
    customer customers buyer buyers prospect prospects lead leads contact team business working work informal social
    company partner champion boss ceo cfo cto executive executives evening afternoon morning networking""",
    it="""riunione riunioni incontro incontri appuntamento uscita giornata serata mattinata invito evento pausa partita
    torneo chiacchierata a al alla con il la lo di del della in per e o un una lavoro cliente clienti contatto prospect
    aziendale team squadra commerciale informale direttore titolare amministratore""",
)
"""Where nothing but these stand beside it, the meal is the activity. A `Coffee machine demo` is a demo."""


def trifling_activities(view: View) -> Iterator[Found]:
    """Each activity once, at the first of its texts that is a trifle."""
    people = frozenset(
        word for role in (*view.process.contacts, *view.process.roles) for word in words_of(role.key.replace("_", " "))
    )
    for index, activity in enumerate(view.process.activities):
        texts = spoken(activity.key, activity.name, ("activities", index))
        found = next(((text, words) for text in texts if (words := _trifles(text, people))), None)
        if found is not None:
            params = {"activity": activity.key, "words": found[1]}
            yield Found(view.marks.place(found[0].path), params, (activity.key,))


def _trifles(text: Spoken, people: frozenset[str]) -> list[str]:
    words = joined(text.words, _PAIRS)
    trifles = known(_TRIFLES, text.language)
    general = known(_GENERAL, text.language) | people | trifles
    return [word for word in words if word in trifles] if general.issuperset(words) else []


def too_many_activities(view: View) -> Iterator[Found]:
    """More activities than anybody does well."""
    found = len(view.process.activities)
    if found > MOST_ACTIVITIES:
        yield Found(view.marks.key_place(("activities",)), {"found": found, "most": MOST_ACTIVITIES})


def unused_activities(view: View) -> Iterator[Found]:
    """Each activity that nothing asks for."""
    used = used_activities(view)
    for index, activity in enumerate(view.process.activities):
        if activity.key not in used:
            place = view.marks.place(("activities", index))
            yield Found(place, {"activity": activity.key}, (activity.key,))
