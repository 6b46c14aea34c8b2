"""The names a process gives to its parts, made ready for sentences in one language. Built once per version."""

from datetime import tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from app.engine.process import Process, ProcessField
from app.engine.values import NamedKey
from app.i18n.figures import quoted
from app.i18n.texts import Catalogue, Locale, author_text, texts
from app.i18n.words import Word, agreeing, decapitalised, noun, short_name, spaced

_KEPT = 256
_COMES_IN = frozenset({"call", "email"})
"""Kinds that are received when they are the buyer's: nobody on our side sends or makes them."""
_kept: dict[tuple[str, Locale], "Labels"] = {}


class Compiled(Protocol):
    """What texts need of a compiled process version."""

    @property
    def process(self) -> Process:
        """The process as written."""

    @property
    def key(self) -> str:
        """Its key."""

    @property
    def version(self) -> int | None:
        """Its published number, if it has one."""

    @property
    def digest(self) -> str:
        """What its content hashes to."""


class Labels:
    """Names by key; a key the process does not declare is shown as its words."""

    def __init__(self, process: Process, locale: Locale) -> None:
        """Read every name once."""
        self.locale = locale
        self.catalogue: Catalogue = texts(locale)
        self.zone: tzinfo = ZoneInfo(process.timezone)
        self.kinds = {one.key: one.kind for one in process.activities}
        self.names = {one.key: author_text(one.name, locale) for one in process.activities}
        self.how = {one.key: author_text(one.how, locale) for one in process.activities}
        self.declared: dict[str, ProcessField] = {one.key: one for one in process.fields}
        self._activities = {key: self._activity(decapitalised(name or spaced(key))) for key, name in self.names.items()}
        self._shorts = {key: self._activity(short_name(key, name or spaced(key))) for key, name in self.names.items()}
        self.field_names = {one.key: author_text(one.name, locale) or spaced(one.key) for one in process.fields}
        self.people_names = {one.key: self._name(one) for one in (*process.roles, *process.contacts)}
        self._fields = {key: self._field(name) for key, name in self.field_names.items()}
        self._stages = {one.key: author_text(one.name, locale) or spaced(one.key) for one in process.stages}
        self.buyers = {one.key: one.buyer for one in process.stages if one.buyer is not None}
        self._people = {key: self._person(name) for key, name in self.people_names.items()}
        self._outcomes = {(one.key, out.key): out.name for one in process.activities for out in one.outcomes}
        self._choices = {(one.key, choice.key): self._name(choice) for one in process.fields for choice in one.choices}
        self._done: dict[tuple[str, str | None, bool, bool, str], str] = {}
        self.kept: dict[tuple[Any, ...], tuple[dict[str, Any], Any]] = {}
        """Texts of findings: see `app.i18n.kept`."""

    def activity(self, key: str) -> Word:
        """The activity by its whole name: `product demo`."""
        return self._activities.get(key) or self._activity(spaced(key))

    def short(self, key: str) -> Word:
        """The activity by its shortest name, for sentences full of figures: `demo`."""
        return self._shorts.get(key) or self._activity(spaced(key))

    def activity_name(self, key: str) -> str:
        """The activity's name as its author wrote it, for a heading."""
        return self.names.get(key) or spaced(key)

    def field(self, key: str) -> Word:
        """The field's name with its articles."""
        return self._fields.get(key) or self._field(spaced(key))

    def stage(self, key: str) -> str:
        """The stage's name, between quotation marks."""
        return quoted(self._stages.get(key) or spaced(key), self.catalogue)

    def is_date(self, key: str) -> bool:
        """Whether what is said of the field depends on the day."""
        declared = self.declared.get(key)
        return declared is None or declared.type == "date"

    def person(self, key: str) -> Word:
        """A role of ours, or of the buyer's."""
        return self._people.get(key) or self._person(spaced(key))

    def field_name(self, key: str) -> str:
        """The field's name as its author wrote it, for a heading."""
        return self.field_names.get(key) or spaced(key)

    def person_name(self, key: str) -> str:
        """The role's name as its author wrote it, for a heading."""
        return self.people_names.get(key) or spaced(key)

    def choice(self, field: str, key: str) -> str:
        """A choice's name."""
        return self._choices.get((field, key)) or key

    def done(self, activity: str, outcome: str | None, *, planned: bool, agree: Word, inbound: bool = False) -> str:
        """How an activity counts, agreeing with its noun: `held`, `svolta`, `with outcome “interested”`."""
        key = (activity, outcome, planned, inbound, agree.gender)
        found = self._done.get(key)
        if found is None:
            found = self._participle(activity, outcome, planned=planned, inbound=inbound, agree=agree)
            if len(self._done) < _KEPT:
                self._done[key] = found
        return found

    def outcome(self, activity: str, key: str, agree: Word) -> str:
        """An outcome by its author's name, in our words, or as the words of its key."""
        authors = author_text(self._outcomes.get((activity, key)), self.locale)
        if authors:
            return decapitalised(authors)
        ours = f"done.{key}"
        return agreeing(self.catalogue.text(ours), agree) if self.catalogue.has(ours) else spaced(key)

    def _participle(self, activity: str, outcome: str | None, *, planned: bool, inbound: bool, agree: Word) -> str:
        if planned or outcome is None:
            kind = self.kinds.get(activity, "other")
            code = "done.booked" if planned else f"kind.{kind}.done"
            if inbound and not planned and kind in _COMES_IN:
                code = "done.received"
            return agreeing(self.catalogue.text(code), agree)
        name = self.outcome(activity, outcome, agree)
        if self.catalogue.has(f"done.{outcome}"):
            return name
        return self.catalogue.text("done.with_outcome", outcome=quoted(name, self.catalogue))

    def _activity(self, text: str) -> Word:
        return noun(text, self.locale, carrier=self.catalogue.text("noun.activity"))

    def _field(self, text: str) -> Word:
        return noun(decapitalised(text), self.locale)

    def _person(self, text: str) -> Word:
        return noun(decapitalised(text), self.locale, person=True)

    def _name(self, named: NamedKey) -> str:
        return author_text(named.name, self.locale) or spaced(named.key)


def labels_of(compiled: Compiled, locale: Locale) -> Labels:
    """The labels of a process version; versions never change, so they are kept, the latest few hundred."""
    key = (compiled.digest, locale)
    labels = _kept.get(key)
    if labels is None:
        labels = Labels(compiled.process, locale)
        while len(_kept) >= _KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[key] = labels
    return labels
