"""The table of columns: what stands in each column of the workbook's sheets, and in the page's list of all documents.

Both read their values of documents here. The report's JSON lies in `reconcile`, below this room: the columns of
documents have its keys (`Column.key`), and a test asks that it says the same of each document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Generic, TypeAlias, TypeVar

from batch_issuer.messages import N_, Messages
from batch_issuer.model.records import Note, Record, RunRecord
from batch_issuer.model.states import State
from batch_issuer.reconcile import (
    Change,
    Conflict,
    Difference,
    Group,
    HeldBack,
    Lookalike,
    Missing,
    OpenItem,
    OtherMonth,
    ProblemText,
    Reconciliation,
    Series,
    SignedOff,
    SourceSummary,
    StateChange,
)
from batch_issuer.reconcile.values import EXCLUDED_SUBJECT
from batch_issuer.reports import figures, wording
from batch_issuer.reports.cells import Kind
from batch_issuer.reports.tasks import FoundProblem
from batch_issuer.rules.catalogs import payment_methods

Item = TypeVar("Item")

REFERENCE = N_("Reference")
AMOUNT = N_("Amount with VAT")
DIFFERS = N_("Difference")
PROVIDER = N_("According to the provider")
WITHHELD = N_("VAT withheld")
INCOME_TAX = N_("Income tax withheld")


Changed: TypeAlias = tuple[Conflict, Change]
"""A conflict, and one of the fields in which file and ledger differ: a row for each."""
Then: TypeAlias = tuple[str, OpenItem]
"""What became of an open item since an earlier report, and the item."""


@dataclass(frozen=True, slots=True)
class Column(Generic[Item]):
    """One column of a table. `width` is in characters."""

    heading: str
    width: int
    kind: Kind
    value: Callable[[Item], Any]
    key: str = ""
    """The name in the page's list and, where the report's JSON has the figure, in that; empty: in the workbook only."""


class Words:
    """Values as the workbook says them, in one language."""

    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self._payments = payment_methods().names
        self.doc_type = cache(lambda code: wording.type_name(code, messages))

    def payment(self, code: str) -> str:
        """Return a code of CAT-017 with its name; an unknown one as it is."""
        return f"{code} {self._payments[code]}" if code in self._payments else code

    def state(self, state: State) -> str:
        """Return the name of a state."""
        return self.messages.text(wording.NAMES[state])

    def in_language(self, texts: Mapping[str, str]) -> str:
        """Return the text of a problem that is kept in every language, in this one."""
        return texts.get(self.messages.language, "")

    def told(self, state: str) -> str:
        """Return the name of what the provider or the ledger says of a document, which may be that it is not known."""
        known = N_("not known there") if state == "not-found" else wording.NAMES.get(state, "")
        return self.messages.text(known) or state

    def reason(self, code: str) -> str:
        """Return what a reason of the ledger means; an unknown one as its code."""
        return self.messages.text(wording.REASONS.get(code, "")) or code

    def why(self, record: Record) -> str:
        """Return the reason as we put it, and the refusal with its code as the provider or the ministry put it."""
        return " · ".join(filter(None, (self.reason(record.reason), record.answer.said_with_code)))

    def repair(self, record: Record) -> str:
        """Return what to do about a document: what the ministry's code calls for, or else what its state does."""
        known = wording.MINISTRY_REPAIRS.get(record.answer.codigo_msg, "") if record.state is State.REJECTED else ""
        return self.messages.text(known or wording.WHAT_TO_DO[record.state])


def breakdowns(reconciliation: Reconciliation, words: Words) -> list[tuple[str, str, list[tuple[str, Group]]]]:
    """Return title, heading of the names, and the groups with their names, as page and workbook break the day down."""
    none = words.messages.text(N_("(none)"))
    dimensions: tuple[tuple[str, str, tuple[Group, ...], Callable[[str], str]], ...] = (
        (N_("By type"), N_("Type"), reconciliation.by_type, words.doc_type),
        (N_("By branch"), N_("Branch"), reconciliation.by_branch, str),
        (N_("By date in the files"), N_("Date"), reconciliation.by_day, figures.day),
        (N_("By payment method"), N_("Payment method"), reconciliation.by_payment, words.payment),
    )
    return [
        (title, heading, [(shown(group.name) or none, group) for group in groups])
        for title, heading, groups, shown in dimensions
        if groups
    ]


def _sale_columns(words: Words, gross: Callable[[Any], Any]) -> list[Column[Any]]:
    """Return what says which sale it is, of a document of the ledger or of one that was only read."""
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one.external_ref, "external_ref"),
        Column(N_("Type"), 24, Kind.TEXT, lambda one: words.doc_type(one.doc_type), "doc_type"),
        Column(N_("Date"), 11, Kind.DATE, lambda one: one.date, "date"),
        Column(N_("Branch"), 18, Kind.TEXT, lambda one: one.branch, "branch"),
        Column(N_("Customer"), 30, Kind.TEXT, lambda one: one.customer, "customer"),
        Column(N_("Payment method"), 22, Kind.TEXT, lambda one: words.payment(one.payment_method)),
        Column(AMOUNT, 15, Kind.MONEY, gross, "gross"),
    ]


def _place_columns(source: Callable[[Any], Any]) -> list[Column[Any]]:
    """Return where in the files something stands; `source` is what has its file, sheet and rows."""
    return [
        Column(N_("File"), 26, Kind.TEXT, lambda one: source(one).file, "file"),
        Column(N_("Sheet"), 14, Kind.TEXT, lambda one: source(one).sheet, "sheet"),
        Column(N_("Rows"), 14, Kind.TEXT, lambda one: figures.span(source(one).rows), "rows"),
    ]


def document_columns(words: Words) -> list[Column[Record]]:
    """Return what says which document of the ledger it is."""
    return _sale_columns(words, lambda one: one.expected_gross)


def why_columns(words: Words) -> list[Column[Record]]:
    """Return why a document is in its state, and what to do about it."""
    return [
        Column(N_("What is known"), 50, Kind.LONG, words.why),
        Column(N_("What to do"), 50, Kind.LONG, words.repair),
    ]


def answer_columns(*, income_tax: bool) -> list[Column[Record]]:
    """Return what the provider answered; `income_tax` where there are purchases to withhold it from.

    The provider has one figure for what is withheld, `retention`: of a purchase from an excluded subject (type 14) it
    is income tax, of everything else VAT. They are declared apart, so each has its column.
    """
    of_purchases: Column[Record] = Column(
        INCOME_TAX,
        13,
        Kind.MONEY,
        lambda one: one.answer.amounts.retention if one.doc_type == EXCLUDED_SUBJECT else None,
        "income_tax",
    )
    return [
        Column(PROVIDER, 15, Kind.MONEY, lambda one: one.answer.amounts.gross, "provider_gross"),
        Column(DIFFERS, 12, Kind.MONEY, difference, "difference"),
        Column(N_("Base"), 14, Kind.MONEY, lambda one: one.answer.amounts.taxable),
        Column(N_("VAT"), 12, Kind.MONEY, lambda one: one.answer.amounts.vat),
        Column(
            WITHHELD,
            13,
            Kind.MONEY,
            lambda one: None if one.doc_type == EXCLUDED_SUBJECT else one.answer.amounts.retention,
            "retention",
        ),
        *([of_purchases] if income_tax else []),
        Column(N_("To pay"), 14, Kind.MONEY, lambda one: one.answer.amounts.total),
        Column(N_("Control number"), 33, Kind.TEXT, lambda one: one.answer.control_number, "control_number"),
        Column(N_("Generation code"), 39, Kind.TEXT, lambda one: one.answer.generation_code, "generation_code"),
        Column(N_("Ministry's stamp"), 43, Kind.TEXT, lambda one: one.answer.reception_stamp, "reception_stamp"),
    ]


def difference(record: Record) -> Decimal | None:
    """Return by how much the provider's total is more than ours; None where it gave none."""
    answered = record.answer.amounts.gross
    return None if answered is None else answered - record.expected_gross


def origin_columns() -> list[Column[Record]]:
    """Return when a document went its way, and where in the files it stands."""
    return [
        Column(N_("First sent"), 17, Kind.MOMENT, lambda one: one.first_sent_at),
        Column(N_("Numbered"), 17, Kind.MOMENT, lambda one: one.numbered_at, "numbered_at"),
        Column(N_("Settled"), 17, Kind.MOMENT, lambda one: one.settled_at, "settled_at"),
        Column(N_("Times sent"), 8, Kind.WHOLE, lambda one: one.attempts),
        *_place_columns(lambda one: one.source),
    ]


def state_change_columns(words: Words) -> list[Column[StateChange]]:
    """Return what the provider says now beside what the ledger had."""
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one.external_ref),
        Column(N_("In the ledger"), 20, Kind.TEXT, lambda one: words.told(one.before)),
        Column(N_("The provider now"), 20, Kind.TEXT, lambda one: words.told(one.now)),
        Column(N_("Reason"), 50, Kind.LONG, lambda one: words.reason(one.reason)),
        Column(AMOUNT, 15, Kind.MONEY, lambda one: one.gross),
    ]


def missing_columns(words: Words, at_provider: Mapping[str, str]) -> list[Column[Missing]]:
    """Return sales that the ledger does not have; `at_provider` has the state of those that were asked for."""
    return [
        *_sale_columns(words, lambda one: one.gross),
        Column(
            N_("The provider now"),
            16,
            Kind.TEXT,
            lambda one: words.told(at_provider[one.external_ref]) if one.external_ref in at_provider else "",
        ),
        Column(N_("The same as, in the ledger"), 22, Kind.TEXT, lambda one: one.looks_like),
        *_place_columns(lambda one: one),
    ]


def since_columns(words: Words) -> list[Column[Then]]:
    """Return what became of the open items of an earlier report."""
    return [
        Column(REFERENCE, 28, Kind.TEXT, lambda one: one[1].external_ref),
        Column(N_("Since the earlier report"), 16, Kind.TEXT, lambda one: one[0]),
        Column(N_("Cause"), 34, Kind.TEXT, lambda one: words.messages.text(wording.CAUSE_TITLES[one[1].cause])),
        Column(N_("Code or reason"), 24, Kind.TEXT, lambda one: one[1].detail),
        Column(AMOUNT, 15, Kind.MONEY, lambda one: one[1].gross),
    ]


def note_columns() -> list[Column[Note]]:
    """Return notes that persons wrote."""
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one.external_ref),
        Column(N_("Reason"), 80, Kind.LONG, lambda one: one.reason),
        Column(N_("By"), 28, Kind.TEXT, lambda one: one.by),
        Column(N_("When"), 17, Kind.MOMENT, lambda one: one.at),
    ]


def month_columns(words: Words) -> list[Column[OtherMonth]]:
    """Return the days of a document whose sale, issuing and stamp fall into different months."""
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one.record.external_ref),
        Column(N_("Type"), 24, Kind.TEXT, lambda one: words.doc_type(one.record.doc_type)),
        Column(N_("Sold"), 11, Kind.DATE, lambda one: one.sold),
        Column(N_("Issued"), 11, Kind.DATE, lambda one: one.issued),
        Column(N_("Stamped"), 11, Kind.DATE, lambda one: one.stamped),
        Column(N_("Customer"), 30, Kind.TEXT, lambda one: one.record.customer),
        Column(AMOUNT, 15, Kind.MONEY, lambda one: one.record.expected_gross),
        Column(N_("Control number"), 33, Kind.TEXT, lambda one: one.record.answer.control_number),
    ]


def lookalike_columns(words: Words) -> list[Column[Lookalike]]:
    """Return pairs of sales with other references that look like one and the same."""
    where = {True: words.messages.text(N_("in the files")), False: words.messages.text(N_("in the ledger only"))}
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one.external_ref),
        Column(N_("The other one"), 22, Kind.TEXT, lambda one: one.other_ref),
        Column(N_("Where it is"), 20, Kind.TEXT, lambda one: where[one.in_files]),
        Column(N_("Customer"), 30, Kind.TEXT, lambda one: one.customer),
        Column(AMOUNT, 15, Kind.MONEY, lambda one: one.gross),
    ]


def sign_off_columns(words: Words) -> list[Column[SignedOff]]:
    """Return who answered for which figures, and what they are now."""
    say, roles = words.messages.text, wording.ROLE_NAMES
    return [
        Column(N_("Role"), 18, Kind.TEXT, lambda one: say(roles.get(one.sign_off.role, one.sign_off.role))),
        Column(N_("By"), 28, Kind.TEXT, lambda one: one.sign_off.by),
        Column(N_("When"), 17, Kind.MOMENT, lambda one: one.sign_off.at),
        Column(N_("From"), 11, Kind.DATE, lambda one: one.sign_off.first),
        Column(N_("To"), 11, Kind.DATE, lambda one: one.sign_off.last),
        Column(N_("Documents"), 12, Kind.WHOLE, lambda one: one.sign_off.documents),
        Column(AMOUNT, 15, Kind.MONEY, lambda one: one.sign_off.gross),
        Column(N_("Needed a person"), 12, Kind.WHOLE, lambda one: one.sign_off.needs_person),
        Column(N_("Documents now"), 12, Kind.WHOLE, lambda one: one.now.documents),
        Column(N_("Amount now"), 15, Kind.MONEY, lambda one: one.now.gross),
        Column(N_("Changed since"), 40, Kind.LONG, lambda one: ", ".join(one.changed)),
        Column(N_("Hash of the ledger"), 68, Kind.TEXT, lambda one: one.sign_off.hash),
    ]  # fmt: skip


def conflict_columns(words: Words) -> list[Column[Changed]]:
    """Return a row for each field in which an issued document and the file differ."""
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one[0].external_ref),
        Column(N_("State"), 16, Kind.TEXT, lambda one: words.state(one[0].state)),
        Column(N_("What differs"), 24, Kind.TEXT, lambda one: wording.field_name(one[1].what, words.messages)),
        Column(N_("As it was issued"), 32, Kind.LONG, lambda one: one[1].issued),
        Column(N_("As the file has it now"), 32, Kind.LONG, lambda one: one[1].file),
        Column(N_("Amount issued"), 14, Kind.MONEY, lambda one: one[0].issued_gross),
        Column(N_("Amount in the file"), 14, Kind.MONEY, lambda one: one[0].file_gross),
        Column(N_("Control number"), 33, Kind.TEXT, lambda one: one[0].control_number),
        *_place_columns(lambda one: one[0]),
    ]


def difference_columns(words: Words) -> list[Column[Difference]]:
    """Return documents whose amount the provider computed otherwise."""
    within = {True: words.messages.text(N_("yes")), False: words.messages.text(N_("no"))}
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one.record.external_ref),
        Column(N_("State"), 16, Kind.TEXT, lambda one: words.state(one.record.state)),
        Column(N_("Customer"), 30, Kind.TEXT, lambda one: one.record.customer),
        Column(AMOUNT, 15, Kind.MONEY, lambda one: one.expected),
        Column(PROVIDER, 15, Kind.MONEY, lambda one: one.answered),
        Column(DIFFERS, 12, Kind.MONEY, lambda one: one.amount),
        Column(N_("Within the tolerance"), 12, Kind.TEXT, lambda one: within[one.within_tolerance]),
        Column(N_("Control number"), 33, Kind.TEXT, lambda one: one.record.answer.control_number),
        *_place_columns(lambda one: one.record.source),
    ]


def held_columns(words: Words) -> list[Column[HeldBack]]:
    """Return documents that were not sent, with everything that is wrong with each."""
    return [
        *_sale_columns(words, lambda one: one.gross),
        Column(
            N_("What is wrong"),
            60,
            Kind.LONG,
            lambda one: _each(one.problems, lambda of: words.in_language(of.message)),
        ),
        Column(
            N_("What to do"), 60, Kind.LONG, lambda one: _each(one.problems, lambda of: words.in_language(of.repair))
        ),
        *_place_columns(lambda one: one),
    ]


def _each(problems: Iterable[ProblemText], said: Callable[[ProblemText], str]) -> str:
    return "\n".join(dict.fromkeys(said(problem) for problem in problems))


def problem_columns(words: Words) -> list[Column[FoundProblem]]:
    """Return single problems with their place in the files."""
    holds = {"blocks": words.messages.text(N_("held back")), "warns": words.messages.text(N_("note"))}
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one[1].external_ref if one[1] else one[0].external_ref),
        Column(N_("Effect"), 12, Kind.TEXT, lambda one: holds.get(one[0].severity, one[0].severity)),
        Column(N_("Code"), 24, Kind.TEXT, lambda one: one[0].code),
        Column(N_("What is wrong"), 60, Kind.LONG, lambda one: words.in_language(one[0].message)),
        Column(N_("What to do"), 60, Kind.LONG, lambda one: words.in_language(one[0].repair)),
        Column(N_("Value"), 26, Kind.LONG, lambda one: one[0].value),
        Column(N_("File"), 26, Kind.TEXT, lambda one: one[0].file),
        Column(N_("Sheet"), 14, Kind.TEXT, lambda one: one[0].sheet),
        Column(N_("Row"), 8, Kind.WHOLE, lambda one: one[0].row),
        Column(N_("Column"), 8, Kind.TEXT, lambda one: one[0].column),
        Column(N_("Heading"), 22, Kind.TEXT, lambda one: one[0].heading),
    ]


def series_columns() -> list[Column[Series]]:
    """Return how the control numbers of each series run."""
    return [
        Column(N_("Series"), 24, Kind.TEXT, lambda one: one.name),
        Column(N_("Year"), 8, Kind.WHOLE, lambda one: one.year),
        Column(N_("Documents"), 12, Kind.WHOLE, lambda one: one.documents),
        Column(N_("First"), 14, Kind.WHOLE, lambda one: one.first),
        Column(N_("Last"), 14, Kind.WHOLE, lambda one: one.last),
        Column(N_("Numbers missing"), 12, Kind.WHOLE, lambda one: one.missing_numbers),
        Column(
            N_("Missing"),
            60,
            Kind.LONG,
            lambda one: ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in one.missing),
        ),
        Column(N_("Repeated"), 40, Kind.LONG, lambda one: ", ".join(str(repeat.number) for repeat in one.repeated)),
    ]


def source_columns() -> list[Column[SourceSummary]]:
    """Return the sheets that were read, each with its own total beside the sum that was read."""
    return [
        Column(N_("File"), 34, Kind.TEXT, lambda one: one.file),
        Column(N_("Sheet"), 16, Kind.TEXT, lambda one: one.sheet),
        Column(N_("Rows"), 10, Kind.WHOLE, lambda one: one.rows),
        Column(N_("Documents"), 12, Kind.WHOLE, lambda one: one.documents),
        Column(N_("Its own total"), 15, Kind.MONEY, lambda one: one.control_total),
        Column(N_("Sum read"), 15, Kind.MONEY, lambda one: one.read_total),
        Column(DIFFERS, 12, Kind.MONEY, _source_difference),
        Column("SHA-256", 68, Kind.TEXT, lambda one: one.sha256),
        Column(N_("How it was read"), 40, Kind.LONG, lambda one: one.notes),
    ]


def _source_difference(source: SourceSummary) -> Decimal | None:
    if source.control_total is None or source.read_total is None:
        return None
    return source.read_total - source.control_total


def run_columns() -> list[Column[RunRecord]]:
    """Return the runs that the figures come from."""
    return [
        Column(N_("Run"), 30, Kind.TEXT, lambda one: one.run),
        Column(N_("Command"), 14, Kind.TEXT, lambda one: one.command),
        Column(N_("Began"), 17, Kind.MOMENT, lambda one: one.started_at),
        Column(N_("Ended"), 17, Kind.MOMENT, lambda one: one.ended_at),
        Column(N_("Sent"), 10, Kind.WHOLE, lambda one: (one.ending or {}).get("posts")),
        Column(N_("Exit code"), 10, Kind.WHOLE, lambda one: one.exit_code),
        Column(N_("Version"), 12, Kind.TEXT, lambda one: one.version),
        Column(N_("Computer"), 24, Kind.TEXT, lambda one: one.host),
    ]
