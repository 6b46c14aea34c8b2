"""Stage names that tell a wish or a mood instead of what happened.

A wish (`could`, `forse`) is vague wherever it stands. A mood (`hot`, `interessato`, `potential`) is vague only when
nothing else is said: `Hot lead` tells nothing, while `Hot swap trial` and `Potential customer listed` are facts.
"""

from collections.abc import Iterator
from itertools import pairwise, product

from app.engine.check.quality.view import Found, View
from app.engine.check.quality.words import Spoken, known, lexicon, spoken

_WISHES = lexicon(
    en="could would should might maybe perhaps hopefully possibly probably presumably",
    it="""potrei potrebbe potremmo potrebbero vorrei vorrebbe vorremmo vorrebbero dovrei dovrebbe dovremmo dovrebbero
    forse magari probabilmente eventualmente possibilmente speriamo chissà""",
)
_MOODS = lexicon(
    en="""interested hot warm lukewarm cold promising likely unlikely potential possible probable serious keen curious
    excited thinking good great strong""",
    it="""interessato interessata interessati interessate caldo calda caldi calde tiepido tiepida tiepidi tiepide
    freddo fredda freddi fredde promettente promettenti probabile probabili possibile possibili potenziale potenziali
    bollente bollenti incuriosito incuriosita""",
)
_GENERAL = lexicon(
    en="""lead leads deal deals prospect prospects opportunity opportunities client clients customer customers buyer
    buyers contact contacts account accounts company stage and or but the a an to of is are looks seems sounds feels
    very quite really still fairly highly almost it over about buy buying close closing win winning sign purchase
    chance chances in""",
    it="""lead cliente clienti contatto contatti trattativa trattative opportunità affare affari prospect azienda fase
    acquirente acquirenti vendita vendite acquisto chiusura molto piuttosto abbastanza ancora quasi è sembra e o ma il
    la lo gli un una di da a ad all al alla comprare acquistare""",
)
_FACTS_AFTER = {"could": {"not"}, "would": {"not"}, "should": {"not", "cost"}, "might": {"not"}}
"""`Could not be reached` is a fact, and a `should cost` model is a document."""

_LEANING = {
    ("interested", "in"),
    *product(("interessato", "interessata", "interessati", "interessate"), ("a", "ad", "al", "alla", "allo", "all")),
}
"""`Interested in a trial` is a mood, whatever it is about."""


def vague_stage_names(view: View) -> Iterator[Found]:
    """Each open stage once, at the first of its texts that is vague."""
    for index, stage in enumerate(view.process.stages):
        if stage.kind != "open":
            continue
        vague = [(one, words) for one in spoken(stage.key, stage.name, ("stages", index)) if (words := _vague(one))]
        if vague:
            words = list(dict.fromkeys(word for _, found in vague for word in found))
            yield Found(view.marks.place(vague[0][0].path), {"stage": stage.key, "words": words}, (stage.key,))


def _vague(text: Spoken) -> list[str]:
    wishes = known(_WISHES, text.language)
    pairs = list(pairwise((*text.words, "")))
    wished = [word for word, after in pairs if word in wishes and after not in _FACTS_AFTER.get(word, ())]
    return [*wished, *_moods(text, pairs, set(wished))]


def _moods(text: Spoken, pairs: list[tuple[str, str]], wished: set[str]) -> list[str]:
    moods = known(_MOODS, text.language)
    empty = moods | known(_GENERAL, text.language) | wished
    for at, (word, after) in enumerate(pairs):
        if word in moods and (word, after) in _LEANING and empty.issuperset(text.words[:at]):
            return [word]
    return [word for word in text.words if word in moods] if empty.issuperset(text.words) else []
