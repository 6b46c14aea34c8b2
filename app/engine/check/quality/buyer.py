"""The buyer's path: stages that name the seller's act, and stages that serve no step of the buyer's journey."""

from collections.abc import Iterator

from app.engine.check.quality.view import Found, View
from app.engine.check.quality.words import Spoken, known, lexicon, spoken, spoken_names

_OURS = lexicon(
    en="""demo demos demonstration presentation pitch proposal proposals quote quotes quotation offer offers trial call
    calls outreach prospecting email emails mail""",
    it="""demo demos dimostrazione presentazione proposta proposte preventivo preventivi offerta offerte prova
    telefonata telefonate chiamata chiamate sollecito email mail prospezione""",
)
"""What sellers make and do; alone, or with a deed, it names a stage for the seller."""

_PAPERS = lexicon(
    en="contract contracts agreement brochure information material", it="contratto contratti accordo documentazione"
)
"""What names a stage for the seller only when the seller sent it: the buyer signs contracts too."""

_DEEDS = lexicon(
    en="""sent held made given done completed complete finished scheduled booked planned delivered presented submitted
    issued emailed prepared performed conducted drafted started follow up""",
    it="""inviato inviata inviati inviate spedito spedita mandato mandata svolto svolta svolte fatto fatta fatte
    completato completata pianificato pianificata programmato programmata fissato fissata presentato presentata
    preparato preparata consegnato consegnata effettuato effettuata eseguito eseguita emesso emessa avviata avviato""",
)
_GENERAL = lexicon(
    en="a an the product sales first second initial final commercial price and of to stage cold",
    it="il lo la un una del della di prodotto commerciale vendita prima primo seconda iniziale finale e a fase",
)
_BUYERS = lexicon(
    en="""buyer buyers customer customers client clients they their board committee procurement legal champion
    accepted approved requested signed evaluated""",
    it="""cliente clienti acquirente acquirenti loro comitato acquisti accettata accettato approvata approvato
    richiesta richiesto firmato firmata valutata valutato""",
)
"""Where the buyer is named, or what the buyer did, the name is taken for the buyer's."""


def seller_named_stages(view: View) -> Iterator[Found]:
    """Each open stage once. Keys are kept when a process becomes the buyer's: the names count where there are any."""
    for index, stage in enumerate(view.process.stages):
        if stage.kind != "open":
            continue
        path = ("stages", index)
        texts = spoken_names(stage.name, path) if stage.name else spoken(stage.key, None, path)
        ours = next(((text, words) for text in texts if (words := _of_the_seller(text))), None)
        if ours is not None:
            yield Found(view.marks.place(ours[0].path), {"stage": stage.key, "words": ours[1]}, (stage.key,))


def _of_the_seller(text: Spoken) -> list[str]:
    ours, papers, deeds = (known(words, text.language) for words in (_OURS, _PAPERS, _DEEDS))
    if not known(_BUYERS, text.language).isdisjoint(text.words):
        return []
    things = [word for word in text.words if word in ours]
    done = [word for word in text.words if word in deeds]
    bare = known(_GENERAL, text.language).union(ours).issuperset(text.words)
    if things and (done or bare):
        return [*things, *done]
    sent = [word for word in text.words if word in papers]
    return [*sent, *done] if sent and done else []


def stages_without_buyer_step(view: View) -> Iterator[Found]:
    """Each open stage that does not say which step of the buyer's it serves."""
    for stage in view.of_kind("open"):
        if stage.buyer is None:
            yield Found(view.stage_place(stage.key), {"stage": stage.key}, (stage.key,))
