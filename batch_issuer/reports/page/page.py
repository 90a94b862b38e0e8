"""The reconciliation as one HTML file that opens anywhere, without network. The same reconciliation, the same bytes.

Without script it is complete, but for the list of documents that need nobody.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from batch_issuer.messages import N_, Messages
from batch_issuer.model.money import total_of
from batch_issuer.model.states import ISSUED, State
from batch_issuer.reconcile import Cause, HeldBack, Missing, Reconciliation, Tally, age_bucket
from batch_issuer.reports import figures, wording
from batch_issuer.reports.columns import Words, breakdowns
from batch_issuer.reports.page.exceptions import OTHER_MONTH, gather, in_brief
from batch_issuer.reports.page.listing import BRIEF, listed_records, listing
from batch_issuer.reports.page.pictures import hours, length_of, state_bar
from batch_issuer.reports.replacing import replace_file
from batch_issuer.reports.tasks import oldest_first, tasks, waiting_since
from batch_issuer.resources import templates_folder

STATIC_LIST = 250
"""Up to so many documents the whole list is in the page as a table too, for printing and for readers without script."""

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(templates_folder()),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""Compiles each template once; this module is loaded only where a page is made."""


def write_page(reconciliation: Reconciliation, messages: Messages, path: Path) -> None:
    """Write the page into a file. Raises `StoppedMidway` where disk or folder refuse."""
    replace_file(path, page_text(reconciliation, messages).encode())


def page_text(reconciliation: Reconciliation, messages: Messages) -> str:
    """Return the page as text."""
    # Who and when, at the foot of every printed page. Each character is an escape: no name can end the text.
    foot = figures.printable(f"{reconciliation.company_name} · {figures.moment(reconciliation.as_of)}")
    escaped = "".join(f"\\{ord(mark):06x}" for mark in foot)
    style = f'{_source("report.css")}@page{{@bottom-left{{content:"{escaped}"}}}}\n'
    script = _source("report.js")
    found = gather(reconciliation, messages)
    fingerprint = figures.fingerprint(reconciliation)
    page = _ENVIRONMENT.get_template("report.html.j2").render(
        **_PLAIN_TOOLS,
        **_tools(reconciliation, messages),
        **_figures(reconciliation, messages),
        found=found,
        fingerprint=fingerprint,
        style=Markup(style),  # noqa: S704 - our own file, and a text written in escapes only
        script=Markup(script),  # noqa: S704 - our own file
        style_hash=_content_hash(style),
        script_hash=_content_hash(script),
        listing=Markup(listing(reconciliation, found.reasons, messages, fingerprint)),  # noqa: S704 - made for script elements
    )
    # Once more for the whole: a lone surrogate from a damaged file could not be written as UTF-8.
    return figures.printable(page)


def _source(name: str) -> str:
    assert _ENVIRONMENT.loader is not None  # noqa: S101 - given above
    return _ENVIRONMENT.loader.get_source(_ENVIRONMENT, name)[0]


def _content_hash(text: str) -> str:
    """Return the digest by which the content-security policy knows an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _figures(reconciliation: Reconciliation, messages: Messages) -> dict[str, Any]:
    """Return what the template shows, computed once each."""
    contingency = oldest_first(reconciliation)
    records = listed_records(reconciliation)
    unsent: list[tuple[str, HeldBack | Missing]] = [(wording.HELD_BACK, one) for one in reconciliation.held_back]
    unsent += [(wording.MISSING, one) for one in reconciliation.missing]
    issued, differences = [reconciliation.states[state] for state in ISSUED], reconciliation.differences
    return {
        "needs_person": reconciliation.needs_person,
        "verdict": messages.text(reconciliation.verdict, **reconciliation.verdict_parameters),
        "r": reconciliation,
        "total": reconciliation.total,
        "held_gross": total_of(one.gross for one in reconciliation.held_back),
        "issued": Tally(documents=sum(one.documents for one in issued), gross=total_of(one.gross for one in issued)),
        "differences_by_state": {
            state: total_of(one.amount for one in differences if one.record.state is state) for state in State
        },
        "within": [one for one in differences if one.within_tolerance],
        "tasks": tasks(reconciliation),
        "oldest": contingency[0] if contingency else None,
        "bar": state_bar(reconciliation),
        "hours": hours((one.first_sent_at, one.state) for one in reconciliation.records),
        "most_money": max((one.gross for one in reconciliation.states.values()), default=Decimal(0)),
        "scope": wording.scope(reconciliation, messages),
        "listed": len(records) + len(unsent),
        "left_out": len(reconciliation.records) + len(reconciliation.only_in_ledger) - len(records),
        "static_list": records if len(records) + len(unsent) <= STATIC_LIST else (),
        "unsent": unsent,
    }


def _tools(reconciliation: Reconciliation, messages: Messages) -> dict[str, Any]:
    """Return what the template writes with, in its language and with this reconciliation's names."""

    def filled(message: str, **markup: Markup | str) -> Markup:
        # Escaped before it is filled: the markup stays markup, and everything else becomes text.
        return escape(messages.text(message)).format(**markup)

    words, names = Words(messages), figures.file_names(reconciliation)
    return {
        "_": messages.text,
        "count": messages.count,
        "language": messages.language,
        "filled": filled,
        "file_name": lambda file: names.get(file, file),
        "type_name": words.doc_type,
        "field_name": lambda what: wording.field_name(what, messages),
        "refusal_title": lambda refusal: wording.refusal_title(refusal, messages),
        "refusal_repair": lambda refusal: wording.refusal_repair(refusal, messages),
        "signed": lambda one: wording.signed(one, messages),
        "breakdowns": [
            (title, heading, groups)
            for title, heading, groups in breakdowns(reconciliation, words)
            if any(group.name for _, group in groups)
        ],
        "text_of_script": {name: messages.text(text) for name, text in _SCRIPT_TEXTS.items()},
    }


def _isolated(text: str, css_class: str = "") -> Markup:
    """Return a text of the files or the provider, whose writing direction stays its own."""
    # Without it one name in Hebrew or with U+202E would turn round the figures that stand after it.
    opening = Markup('<bdi class="{}">').format(css_class) if css_class else Markup("<bdi>")
    return opening + escape(figures.printable(text)) + Markup("</bdi>")


def _named(items: Iterable[Any]) -> str:
    """Return references in running text, each with its rows: one text, because elements by the thousand open slowly.

    A reference whose writing direction is another keeps it by characters (U+2068, U+2069) instead of an element.
    """
    found = []
    for reference, where in map(in_brief, items):
        text = figures.printable(reference)
        found.append(f"{text} ({where})" if text.isascii() else f"\u2068{text}\u2069 ({where})")
    return ", ".join(found)


_KEYBOARD: tuple[tuple[tuple[str, ...], str], ...] = (
    (("/",), N_("Search in the list of all documents")),
    (("j", "k"), N_("Next and previous thing to look at; in the list, next and previous document")),
    (("↑", "↓", "PgUp", "PgDn", "Home", "End"), N_("Move in the list")),
    (("Enter",), N_("Open the chosen document")),
    (("c",), N_("Copy the reference of the chosen document, or of what is being looked at")),
    (("Esc",), N_("Close; in the search, empty it")),
    (("?",), N_("This help")),
)
_SCRIPT_TEXTS: Mapping[str, str] = {
    "copy": N_("Copy {text}"),
    "copied": N_("Copied"),
    "found": N_("{n} of {all} documents · {money}"),
    "nothing": N_("No document matches. Clear the search or the filters."),
    "where": N_("Where"),
    "withheld": N_("VAT withheld"),
    "difference": N_("Difference"),
    "generation": N_("Generation code"),
    "stamp": N_("Ministry's stamp"),
    "reason": N_("Cause"),
}
_PLAIN_TOOLS: Mapping[str, Any] = {
    "plain": _isolated,
    "named": _named,
    "reference": lambda text: _isolated(text, "ref"),
    "money": figures.money,
    "signed_money": figures.signed_money,
    "whole": figures.whole,
    "share": figures.share,
    "moment": figures.moment,
    "day": figures.day,
    "span": figures.span,
    "age": figures.age,
    "age_bucket": age_bucket,
    "waiting_since": waiting_since,
    "length_of": length_of,
    "names": wording.NAMES,
    "what_to_do": wording.WHAT_TO_DO,
    "explanations": wording.CAUSE_EXPLANATIONS,
    "titles": wording.CAUSE_TITLES,
    "short_names": wording.CAUSE_NAMES,
    "age_names": wording.AGE_NAMES,
    "match_names": wording.MATCH_NAMES,
    "how_chosen": wording.HOW_CHOSEN,
    "role_names": wording.ROLE_NAMES,
    "reasons": wording.REASONS,
    "other_month": OTHER_MONTH,
    "late_ages": wording.LATE_AGES,
    "list_limit": BRIEF,
    "keyboard": _KEYBOARD,
    "Cause": Cause,
    "State": State,
}
"""What the template writes with whatever is reported, under the names that it has there."""
