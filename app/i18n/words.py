"""Words that know their forms, so that a sentence agrees with names that authors chose.

A template asks for a form inside the braces: `{activity:a}` is `a demo` or `una demo`, `{field:the}` is `the budget` or
`il budget`, `{activity:nessun|nessuna}` picks by gender. Italian genders come from endings and a list of the words
that sales people use; a noun whose gender is not known stands between guillemets, without an article.
"""

from typing import Literal, Self

from app.i18n.texts import Locale

Gender = Literal["m", "f", ""]

_FEMININE_WORDS = """
    analisi auto base board call chat chiave cifra classe compliance crisi date demo demos diligence disclosure
    due-diligence e-mail email fase firma fonte foto ipotesi legge mail mano mente newsletter parte partnership pec
    policy privacy radio rete review roadmap sede serie sintesi tesi
"""
_MASCULINE_WORDS = """
    amount assessment audit bid brand brief budget business buyer canone case champion check checkup check-up clima
    close competitor contact contract deal debrief decisore discount evaluator follow-up followup fornitore kickoff
    kick-off legal lunch manager meeting mese need nda nome nurturing onboarding outcome owner pain piano pilota pitch
    plan poc potere problema programma proposal questionnaire quote reason referente report responsabile schema score
    settore sign-off sistema source sponsor step team tema tender test timing training trial user utente valore vendor
    visit webinar workshop cliente interesse
"""
_FEMININE = frozenset(_FEMININE_WORDS.split())
_MASCULINE = frozenset(_MASCULINE_WORDS.split())
_AN_LETTERS = frozenset("AEFHILMNORSX")
_LIKE_YOU = ("use", "uni", "eu", "one", "once", "usa", "uti")
_VOWELS = "aeiouàèéìòù"


class Word(str):  # noqa: SLOT000 (it carries its forms)
    """A noun, or a date, with the forms a template may ask for."""

    gender: Gender
    forms: dict[str, str]

    def __new__(cls, text: str, gender: Gender = "", forms: dict[str, str] | None = None) -> Self:
        """Make the word; without a gender, a choice takes the masculine."""
        word = super().__new__(cls, text)
        word.gender = gender
        word.forms = forms or {}
        return word

    def __format__(self, form: str) -> str:
        """The word itself, one of its forms, or the choice that agrees with it."""
        if not form:
            return str(self)
        ready = self.forms.get(form)
        if ready is None:
            ready = self.forms[form] = agreeing(form, self) if "|" in form else str(self)
        return ready


def agreeing(choice: str, word: Word) -> str:
    """`svolta` of `svolto|svolta` for a feminine word, the first for any other; a text without a choice as it is."""
    masculine, bar, feminine = choice.partition("|")
    return feminine if bar and word.gender == "f" else masculine


def decapitalised(text: str) -> str:
    """`Product demo` as it stands inside a sentence; acronyms and single letters keep their capitals."""
    first, rest = text[:1], text[1:2]
    return first.lower() + text[1:] if first.isupper() and rest.islower() else text


def spaced(key: str) -> str:
    """A key as words: `economic_buyer` is `economic buyer`."""
    return key.replace("_", " ").replace("-", " ").strip() or key


def short_name(key: str, name: str) -> str:
    """The words of the key where the name only says more about them: `demo` for `Product demo`."""
    wanted, words = spaced(key).casefold().split(), name.split()
    for start in range(len(words) - len(wanted) + 1):
        if [word.casefold() for word in words[start : start + len(wanted)]] == wanted:
            return decapitalised(" ".join(words[start : start + len(wanted)]))
    return decapitalised(name)


def noun(text: str, locale: Locale, *, person: bool = False, carrier: str = "") -> Word:
    """A name as a word with articles. `carrier` is what carries an Italian noun of unknown gender: `attività`."""
    if locale == "en":
        article = "an" if _sounds_open(text) else "a"
        return Word(text, "", {"a": f"{article} {text}", "the": f"the {text}", "no": f"no {text}"})
    gender = _person_gender(text) if person else italian_gender(text)
    if gender:
        return Word(text, gender, _italian_forms(text, gender))
    quoted = f"«{text}»"
    if carrier:
        carried, of_carrier = f"{carrier} {quoted}", italian_gender(carrier)
        return Word(carried, of_carrier, _italian_forms(carried, of_carrier))
    return Word(quoted, "", {"to the": f"a {quoted}", "of the": f"di {quoted}", "no": f"nessun {quoted}"})


def italian_gender(text: str) -> Gender:
    """The gender of a noun phrase in Italian, by the head: last in loans (`security review`), first in Italian."""
    words = text.casefold().split()
    if not words:
        return ""
    for word in ("-".join(words), words[-1], words[0]):
        if word in _FEMININE:
            return "f"
        if word in _MASCULINE:
            return "m"
    return _by_ending(words[0]) if _looks_italian(words) else ""


def _by_ending(word: str) -> Gender:
    if word.endswith(("zione", "sione", "gione", "tà", "tù", "trice", "tudine")) or (
        word.endswith("a") and not word.endswith(("ista", "emma"))
    ):
        return "f"
    return "m" if word.endswith(("o", "ore", "ale", "ile", "iere", "ema", "amma")) else ""


def _looks_italian(words: list[str]) -> bool:
    """Whether the first word is the head: alone, or followed by Italian; `data quality` is not about `la data`."""
    return len(words) == 1 or all(
        word[-1] in _VOWELS or word in ("per", "con", "del", "in", "al") for word in words[1:]
    )


def _person_gender(text: str) -> Gender:
    head = text.casefold().split()[0] if text.strip() else ""
    return "f" if head.endswith(("a", "trice")) and not head.endswith("ista") else "m"


def _sounds_open(text: str) -> bool:
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    if len(first) > 1 and first.isupper():
        return first[0] in _AN_LETTERS
    lower = first.casefold()
    return lower.startswith(("a", "e", "i", "o", "u", "hour", "honest")) and not lower.startswith(_LIKE_YOU)


def _italian_forms(text: str, gender: Gender) -> dict[str, str]:
    lower = text.casefold()
    open_ = lower[:1] in _VOWELS
    if gender == "f":
        the, some, none = ("l'", "un'", "nessun'") if open_ else ("la ", "una ", "nessuna ")
    elif open_:
        the, some, none = "l'", "un ", "nessun "
    elif _takes_lo(lower):
        the, some, none = "lo ", "uno ", "nessuno "
    else:
        the, some, none = "il ", "un ", "nessun "
    joined = {"il ": ("al ", "del "), "lo ": ("allo ", "dello "), "la ": ("alla ", "della "), "l'": ("all'", "dell'")}
    to_the, of_the = joined[the]
    return {"the": the + text, "a": some + text, "no": none + text, "to the": to_the + text, "of the": of_the + text}


def _takes_lo(lower: str) -> bool:
    return lower.startswith(("z", "gn", "ps", "pn", "x", "y")) or (
        lower[:1] == "s" and lower[1:2] not in (*_VOWELS, "")
    )
