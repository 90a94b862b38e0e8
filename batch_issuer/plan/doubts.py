"""Doubts whether a sale of the files is one that was issued before, and how a person is asked about them.

`recognise` finds them. Here stands what there is to doubt, the sentences of the questions, and what may be answered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from batch_issuer.messages import N_, Terms
from batch_issuer.model.days import day_of
from batch_issuer.model.identity import differing
from batch_issuer.model.money import dollars
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Record
from batch_issuer.model.states import State
from batch_issuer.plan.plan import Candidate
from batch_issuer.plan.prepare import Prepared
from batch_issuer.reading.sheets.numbering import TELLING, line_with_another, propose_template, template_line

if TYPE_CHECKING:
    from batch_issuer.provider.client import Found

SAME, NEW = ANSWERS = ("same", "new")
"""What a person may say of sales that look like earlier ones: that they are those, or that they are others."""

_OF_SHOPS = ("branch", "till")
"""What tells the sales of one shop from those of another on the same day."""


class Doubt(StrEnum):
    """Why a sale of the files may be one that the ledger has."""

    OTHER_DAY = "other-day"
    """The ledger has its reference with another date, branch or till."""
    NUMBERED_ANEW = "numbered-anew"
    """The ledger has its reference from another file, nothing but a small number tells them apart."""
    WRITTEN_OTHERWISE = "written-otherwise"
    """The ledger has a reference that a person would take for its own."""
    TWICE_IN_FILES = "twice-in-files"
    """The files have it under another reference that a person would take for its own, with everything else equal."""
    SAME_CONTENT = "same-content"
    """The ledger has a whole file of such sales under other references."""
    WITHDRAWN = "withdrawn"
    """Somebody said that it is not to be issued, and a file has it again."""


class Doubtful(NamedTuple):
    """A sale of the files, and the document of the ledger that may be the same sale."""

    candidate: Candidate
    record: Record
    doubt: Doubt


class IdentityQuestion(CannotStart):
    """Whether sales of the files are those that the ledger, or the provider, has.

    `line` of the settings would keep them apart; it is empty where the file lacks a column for that. `choices` are the
    answers that are possible.
    """

    line: str = ""
    choices: tuple[str, ...] = ANSWERS


def question_about(prepared: Prepared, doubt: Doubt, found: Sequence[Doubtful], answer: str) -> IdentityQuestion:
    """Return one question about all sales that are in doubt for the same reason. `answer` is what was said before."""
    # One question for all that are in doubt for one reason; the first is its example.
    candidate, record, _ = found[0]
    differs = sorted(
        {name for one in found for name in differing(one.record.appearance, one.candidate.appearance)},
        key=("branch", "till", "date").index,
    )
    line = _line(prepared, {prepared.batch.source(one.candidate.row) for one in found}, differs or TELLING)
    question = _question(
        prepared,
        candidate,
        _MESSAGES[doubt],
        _repair(doubt, line, answer),
        line or _line_with_another(prepared, candidate, ("date", *_OF_SHOPS)),
        count=f"{len(found):,}",
        other=record.external_ref,
        state=Terms((_STATES[record.state],)),
        before=_where_and_when(record.date or day_of(record.updated_at), record.branch, record.till),
        now=_where_and_when(candidate.date, candidate.branch, candidate.till) or "–",
        gross=dollars(record.expected_gross),
        file=record.source.file,
    )
    question.line = line
    question.choices = _CHOICES.get(doubt, (SAME,) if doubt in _NEED_A_NAME and not line else ANSWERS)
    return question


def known_to_provider(
    prepared: Prepared, known: Sequence[tuple[Candidate, Found]], asked: int, answer: str
) -> IdentityQuestion:
    """Return the question about sales that the provider has, and that this ledger never sent.

    `asked` is how many were looked up, `answer` what was said before.
    """
    candidate, found = known[0]
    gross = found.answer.amounts.gross
    line = _line(prepared, {(one.path, one.sheet) for one in prepared.batch.sources}, _OF_SHOPS)
    repair = _LOST_OR_OTHERS if line else _LOST_OR_COLUMN
    question = _question(
        prepared,
        candidate,
        N_(
            "The provider already has sales of these files that this ledger never sent: {count} of the {asked} that "
            "were looked up. For example «{reference}», {now_gross} in {now_file}: the provider has it for {gross} "
            "({state}). The same sales, of a ledger that was lost or replaced by an older copy; or numbers of other "
            "sales, of another shop or another time?"
        ),
        _repair(Doubt.NUMBERED_ANEW, line, answer) if answer == NEW else repair,
        line or _line_with_another(prepared, candidate, _OF_SHOPS),
        count=f"{len(known):,}",
        asked=f"{asked:,}",
        gross="–" if gross is None else dollars(gross),
        state=Terms((_STATES[found.state],)),
    )
    question.line = line
    question.choices = ANSWERS if line else (SAME,)
    return question


def _question(
    prepared: Prepared, example: Candidate, message: str, repair: str, line: str, **parameters: object
) -> IdentityQuestion:
    """Return a question that names one of the sales as its example, and `line` as what could be set."""
    return IdentityQuestion(
        message,
        repair=repair,
        reference=example.appearance.external_ref,
        now_gross=dollars(example.gross),
        now_file=prepared.batch.source(example.row)[0],
        line=line,
        **parameters,
    )


_CHOICES: Mapping[Doubt, tuple[str, ...]] = {Doubt.TWICE_IN_FILES: (NEW,)}
"""One of two rows has to go out of the file: which one, only a person can say there."""
_NEED_A_NAME = (Doubt.OTHER_DAY, Doubt.NUMBERED_ANEW)
"""Doubts about one reference of two sales: as long as both have it, only one of them can be issued."""


def _line(prepared: Prepared, sheets: Collection[tuple[str, str]], differs: Sequence[str]) -> str:
    """Return the line of settings that keeps sales of these sheets apart; empty unless all have the same one."""
    template = prepared.settings.source.external_ref
    proposals = set()
    for source in prepared.batch.sources:
        if (source.path, source.sheet) not in sheets:
            continue
        if not template:
            proposals.add(propose_template(source, differs))
            continue
        # What the template leaves out of day, branch and till, as far as the sheet has them.
        headings = {one.field: one.heading for one in source.mapping}
        more = [f"{{{headings[name]}}}" for name in TELLING if name in differs and name in headings]
        new = [part for part in more if part not in template]
        proposals.add(template_line("-".join([*new, template])) if new else "")
    # The settings have one line for all sheets: where two would need different ones, none is proposed.
    return proposals.pop() if len(proposals) == 1 else ""


def _line_with_another(prepared: Prepared, sale: Candidate, telling: Sequence[str]) -> str:
    """Return a line of settings with a column that the sale does not have, before what its reference is made of."""
    mapped = [one for source in prepared.batch.sources for one in source.mapping]
    number = next((one.heading for one in mapped if one.field == "external_ref"), "Número")
    said = {name for name in telling if getattr(sale, name)}
    return line_with_another(said, prepared.settings.source.external_ref or f"{{{number}}}", telling)


def _where_and_when(date: str, branch: str, till: str) -> str:
    day = f"{dt.date.fromisoformat(date):%d/%m/%Y}" if date else ""
    return ", ".join(filter(None, (day, branch, till)))


def _repair(doubt: Doubt, line: str, answer: str) -> str:
    if doubt in _NEED_A_NAME:
        if answer == NEW:
            return _TEMPLATE_WANTED if line else _OWN_NAME_WANTED
        return _SAME_OR_TEMPLATE if line else _SAME_OR_COLUMN
    return {Doubt.WITHDRAWN: _WITHDRAWN, Doubt.TWICE_IN_FILES: _ONE_TOO_MANY}.get(doubt, _SAME_OR_NEW)


_LOST_OR_COLUMN = N_(
    "If they are the same sales, say --alike same: each is looked up before it is sent, and what the provider has with "
    "the same content is recorded. If they are others, add a column to the file that names the shop, and make the "
    "reference of both in the settings:\n[source]\n{line}\nNothing was sent."
)
_LOST_OR_OTHERS = N_(
    "If they are the same sales, say --alike same: each is looked up before it is sent, and what the provider has with "
    "the same content is recorded. If they are others, let more than the number tell sales apart, in the settings:\n"
    "[source]\n{line}\nNothing was sent."
)


_MESSAGES: Mapping[Doubt, str] = {
    Doubt.OTHER_DAY: N_(
        "References that the ledger has with another day, branch or till: {count}. For example «{reference}»: in the "
        "ledger it is of {before}, {gross} ({state}); in {now_file} it is of {now}, {now_gross}. "
        "The same sale, or a number that began anew?"
    ),
    Doubt.NUMBERED_ANEW: N_(
        "References that the ledger has from another file: {count}. For example «{reference}»: {gross} in {file} "
        "({before}, {state}), {now_gross} in {now_file}. They are small numbers, and no date, branch or till tells "
        "them apart. The same sales, or numbers that began anew?"
    ),
    Doubt.TWICE_IN_FILES: N_(
        "Sales that the files have twice, with the reference written otherwise and everything else equal: {count}. For "
        "example «{reference}», {now_gross}, in {now_file}, and «{other}». One sale, or two?"
    ),
    Doubt.WRITTEN_OTHERWISE: N_(
        "References that the ledger has written otherwise: {count}. For example «{reference}», {now_gross}, in "
        "{now_file}: the ledger has «{other}» of {before}, {gross} ({state}). The same sale?"
    ),
    Doubt.SAME_CONTENT: N_(
        "Sales of a file that the ledger has under other references: {count}. For example «{reference}», "
        "{now_gross}, in {now_file}: the ledger has «{other}» of {before}, {gross} ({state}). The same sales?"
    ),
    Doubt.WITHDRAWN: N_(
        "Sales that somebody has withdrawn and that the files have again: {count}. For example «{reference}», "
        "{now_gross}, in {now_file}. Are they to be issued after all?"
    ),
}
_SAME_OR_TEMPLATE = N_(
    "If numbers began anew, let more than the number tell sales apart, in the settings:\n"
    "[source]\n{line}\n"
    "If they are the same sales, say so with --alike same. Nothing was sent."
)
_SAME_OR_COLUMN = N_(
    "If numbers began anew, add a column to the file that tells the sales apart (the date, the branch or the till), "
    "and make the reference of both in the settings:\n[source]\n{line}\n"
    "If they are the same sales, say so with --alike same. Nothing was sent."
)
_TEMPLATE_WANTED = N_(
    "New sales need references of their own: the provider knows a sale by its reference. Say in the settings what "
    "tells them apart:\n[source]\n{line}\nNothing was sent."
)
_OWN_NAME_WANTED = N_(
    "New sales need references of their own: the provider knows a sale by its reference. Add a column that tells them "
    "apart (the date, the branch or the till), and make the reference of both in the settings:\n"
    "[source]\n{line}\nNothing was sent."
)
_SAME_OR_NEW = N_(
    "If they are the same, say so with --alike same: nothing is issued a second time, and the ledger remembers it. If "
    "they are other sales, say --alike new: they are issued under their own references. Nothing was sent."
)
_ONE_TOO_MANY = N_(
    "If it is one sale, take one of both out of the files, or name only one of the files. If they are two, say "
    "--alike new: both are issued. Nothing was sent."
)
_WITHDRAWN = N_(
    "If they are to be issued, say --alike new; to leave them alone, --alike same, or take them out of the file. "
    "Nothing was sent."
)
_STATES: Mapping[State, str] = {
    State.STAMPED: N_("issued"),
    State.CONTINGENCY: N_("issued, in contingency"),
    State.REJECTED: N_("refused by the ministry"),
    State.INVALID: N_("refused by the provider"),
    State.UNSURE: N_("perhaps issued"),
    State.SENDING: N_("perhaps issued"),
    State.PLANNED: N_("not sent yet"),
    State.CANCELLED: N_("cancelled"),
}
