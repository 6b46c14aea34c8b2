"""Texts in English and Italian: catalogues by code, and whole decisions, advice and problems put into words."""

from app.i18n.advice import AdviceDetail, render_advice
from app.i18n.decisions import render_decision
from app.i18n.documents import from_document, to_document
from app.i18n.problems import PROBLEM_TYPES, render_file_problem, render_problem, render_request_error
from app.i18n.texts import LOCALES, Catalogue, Locale, MissingText, author_text, pick_locale, texts

__all__ = [
    "LOCALES",
    "PROBLEM_TYPES",
    "AdviceDetail",
    "Catalogue",
    "Locale",
    "MissingText",
    "author_text",
    "from_document",
    "pick_locale",
    "render_advice",
    "render_decision",
    "render_file_problem",
    "render_problem",
    "render_request_error",
    "texts",
    "to_document",
]
