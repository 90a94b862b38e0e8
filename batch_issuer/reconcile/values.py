"""The parts of a reconciliation: totals, steps of the bridge, findings, comparisons. Frozen values.

`reconciliation.py` has the whole that they make.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from batch_issuer.model.money import NOTHING
from batch_issuer.model.records import Record, SignOff
from batch_issuer.model.states import State

CREDIT_NOTE = "05"
EXCLUDED_SUBJECT = "14"


class Cause(StrEnum):
    """Why something needs a person, in the order in which it should be looked at."""

    CONFLICT = "conflict"
    CONTRADICTION = "contradiction"
    """The provider's status is not what it once said."""
    UNSURE = "unsure"
    NOT_SENT = "not-sent"
    LEFT_OPEN = "left-open"
    """Another run left it open: it needs a person, and is not among the documents reconciled."""
    LOOK_OWED = "look-owed"
    """How it stands has to be asked again: something happened to another document, or the ledger is an older copy."""
    MISSING = "missing"
    """In the files, and the ledger does not know it."""
    ONLY_IN_LEDGER = "only-in-ledger"
    REJECTED = "rejected"
    INVALID = "invalid"
    DIFFERENCE = "difference"
    CANCELLED = "cancelled"
    """Cancelled, and still in the files."""
    CANCELLING = "cancelling"
    """A cancellation was asked for, and what came of it is not known."""
    PROBLEM = "problem"


class Match(StrEnum):
    """What a document of the files is against the ledger. Each document of the files is in exactly one."""

    MATCHED = "matched"
    """The same content is stamped, in contingency, or undone by a credit note of its own."""
    UNSETTLED = "unsettled"
    """The same content is in the ledger, and is not issued: rejected, invalid, unsure, sending or planned."""
    CHANGED = "changed"
    """The ledger has it with other content."""
    CANCELLED = "cancelled"
    MISSING = "missing"
    HELD_BACK = "held-back"
    """It has a problem, so its content cannot be compared."""


class About(StrEnum):
    """What a reconciliation is about."""

    RUN = "run"
    PERIOD = "period"
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """So many documents, and what they come to."""

    documents: int = 0
    gross: Decimal = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is reconciled, and how far the ledger was looked through."""

    about: About = About.RUN
    run: str = ""
    first: str = ""
    """First day in El Salvador, ISO; empty: not limited, or not known."""
    last: str = ""
    chosen_by: str = "run"
    """How documents of the ledger beyond the files were looked for: `run` not at all, `sent` by the day on which they
    were first sent, `dates` by the days that the files' own dates cover, `period` by the days asked for, `files` by
    having been read from the same files before (their sales have no dates)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSummary:
    """One sheet that was read."""

    file: str
    sheet: str
    sha256: str
    rows: int
    documents: int
    control_total: Decimal | None = None
    read_total: Decimal | None = None
    """The sum of the documents as read, where the sheet has a total of its own."""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A document of the files that was not sent because of its data."""

    external_ref: str
    doc_type: str
    file: str
    sheet: str
    rows: tuple[int, ...]
    gross: Decimal
    branch: str
    date: str
    customer: str
    payment_method: str
    problems: tuple[ProblemText, ...]
    state: str = ""
    """What the ledger has of it from an earlier reading, where it has something."""

    @property
    def first_code(self) -> str:
        """The code of the first problem that holds it back."""
        return next((one.code for one in self.problems if one.severity == "blocks"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemText:
    """A problem as the run recorded it: its texts in both languages, its place and the value."""

    code: str
    severity: str
    external_ref: str
    file: str
    sheet: str
    row: int | None
    column: str
    heading: str
    value: str
    message: Mapping[str, str]
    repair: Mapping[str, str]
    field: str = ""
    """Which of our fields it is about, where the run recorded it."""

    @property
    def place(self) -> str:
        """File, sheet and row as one text, as far as they are known."""
        return " · ".join(part for part in (self.file, self.sheet, "" if self.row is None else str(self.row)) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """The file says something else about a sale that was already issued: both versions."""

    external_ref: str
    state: State
    file: str
    sheet: str
    rows: tuple[int, ...]
    issued_gross: Decimal
    file_gross: Decimal
    changes: tuple[Change, ...]
    control_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between what was issued and what the file says now."""

    what: str
    """Field name, or `line 3: quantity`."""
    issued: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A document of the files, without a problem, that the ledger does not know."""

    external_ref: str
    doc_type: str
    file: str
    sheet: str
    rows: tuple[int, ...]
    gross: Decimal
    branch: str
    date: str
    customer: str
    payment_method: str
    looks_like: str = ""
    """The reference under which the ledger has a sale that is the same in everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """Two references with the same customer, day, total and lines: perhaps one sale twice. A warning only."""

    external_ref: str
    other_ref: str
    in_files: bool
    """Whether the other one is in the files too; otherwise the ledger alone has it."""
    gross: Decimal
    customer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """What the provider says now, where it is not what the ledger had."""

    external_ref: str
    before: str
    """State in the ledger before the provider was asked; empty where the ledger does not have the document."""
    now: str
    """State that the answer proves; `not-found` where the provider does not know the document."""
    recorded: bool
    """False where the ledger keeps what it had, because the answer contradicts a stamp or a cancellation."""
    gross: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The files against the ledger against the provider, sale by sale."""

    matches: Mapping[Match, Tally]
    """Every match, with the files' amounts; together they are the documents of the files."""
    missing: tuple[Missing, ...] = ()
    only_in_ledger: tuple[Record, ...] = ()
    """Of the days of the scope; not those that were cancelled."""
    lookalikes: tuple[Lookalike, ...] = ()
    asked: int = 0
    """Documents whose status the provider gave in this reconciliation."""
    state_changes: tuple[StateChange, ...] = ()

    @property
    def contradictions(self) -> tuple[StateChange, ...]:
        return tuple(one for one in self.state_changes if one.before and not one.recorded)

    @property
    def at_provider(self) -> Mapping[str, str]:
        """State at the provider, by reference, of documents that it has and the ledger does not."""
        return {one.external_ref: one.now for one in self.state_changes if not one.before}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The provider's amount against ours."""

    record: Record
    what: str
    expected: Decimal
    answered: Decimal
    within_tolerance: bool

    @property
    def amount(self) -> Decimal:
        return self.answered - self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Documents and money of one group. `gross` is ours; `provider_gross` is what the answers say."""

    documents: int = 0
    gross: Decimal = NOTHING
    provider_gross: Decimal = NOTHING
    taxable: Decimal = NOTHING
    vat: Decimal = NOTHING
    retention: Decimal = NOTHING
    """VAT withheld by the customer."""
    income_tax: Decimal = NOTHING
    """Income tax withheld from excluded subjects (14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the bridge from rows to states.

    `sign` is 0 for a result, -1 for what is taken from the result above it on the way to the next, 1 for what the last
    result is made of. So each result is the one before less its steps, and the last is the sum of its parts.
    """

    key: str
    label: str
    sign: int
    documents: int
    gross: Decimal
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One value of a dimension (a type, a branch, a day, a payment method) with its totals by state."""

    name: str
    total: Total
    """Of its documents in the ledger, each as it is: a control total."""
    states: Mapping[State, int]
    held_back: int = 0
    by_state: Mapping[State, Tally] = dataclass_field(default_factory=lambda: MappingProxyType({}))
    held_gross: Decimal = NOTHING
    missing: Tally = Tally()
    """Not in the ledger."""
    sales: Total = Total()
    """See `Reconciliation.sales`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Documents refused, or left unsure, for one and the same reason."""

    cause: Cause
    code: str
    message: str
    """The provider's own words, or the reason's code; never a catalog text."""
    gross: Decimal
    records: tuple[Record, ...]
    after_contingency: bool = False
    """They were accepted in contingency first: customers may hold them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContingencyBridge:
    """The company's documents in contingency from one moment to another: what was open, came, went, is open."""

    since: str = ""
    """UTC ISO; empty: from the ledger's beginning."""
    until: str = ""
    opening: Tally = Tally()
    entered: Tally = Tally()
    settled: Mapping[State, Tally] = dataclass_field(default_factory=lambda: MappingProxyType({}))
    """By the state in which each left contingency."""
    closing: Tally = Tally()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One document type at one establishment and point of sale in one calendar year: numbers begin again each year."""

    name: str
    """For example `DTE-01-M001P001`."""
    year: int
    first: int
    """Lowest number of the documents reconciled."""
    last: int
    documents: int
    missing: tuple[tuple[int, int], ...]
    """Runs of numbers, ends included, that no document of the ledger has, from the number that the ledger knows before
    `first` up to `last`. Other programs may have used them."""
    repeated: tuple[Repeat, ...]

    @property
    def missing_numbers(self) -> int:
        return sum(end - start + 1 for start, end in self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """One control number on several documents of the ledger."""

    number: int
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherMonth:
    """A document whose stamp, or whose issue, falls in another month than its sale. Days of El Salvador, ISO."""

    record: Record
    sold: str
    """The sheet's date; empty where it has none."""
    issued: str
    stamped: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOff:
    """A sign-off, and whether the documents of its period are still what was signed."""

    sign_off: SignOff
    unchanged: bool
    changed: tuple[str, ...] = ()
    """References of documents of the period that were touched since, or came since."""
    now: Tally = Tally()
    """What the period comes to now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """Something that needs a person, as one line: what `--since` compares."""

    cause: Cause
    external_ref: str
    """The document; `file · sheet · row` of what belongs to none."""
    gross: Decimal
    detail: str = ""
    """The provider's code, the problem's code, or the reason."""

    @property
    def is_of_no_document(self) -> bool:
        """Whether it is a problem of a file or row, named by its place."""
        return self.cause is Cause.PROBLEM and " · " in self.external_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What became of the open items of an earlier report. A document counts once, whatever its causes."""

    report: str
    """The fingerprint of the earlier report's figures."""
    as_of: str
    """What was known then."""
    resolved: tuple[OpenItem, ...] = ()
    """As they were then."""
    still_open: tuple[OpenItem, ...] = ()
    """As they are now."""
    gone: tuple[OpenItem, ...] = ()
    """As they were then; neither the files nor the ledger have them any more."""
    new: tuple[OpenItem, ...] = ()
