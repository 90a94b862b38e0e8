"""The whole of a reconciliation: everything that a report shows, what follows from it, and its verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from batch_issuer.messages import N_
from batch_issuer.model.money import NOTHING, total_of
from batch_issuer.model.records import CancelStep, Note, Record, RunRecord
from batch_issuer.model.states import State
from batch_issuer.reconcile.values import (
    CREDIT_NOTE,
    EXCLUDED_SUBJECT,
    Cause,
    Comparison,
    Conflict,
    ContingencyBridge,
    Difference,
    Group,
    HeldBack,
    Missing,
    OpenItem,
    OtherMonth,
    ProblemText,
    Refusal,
    Scope,
    Series,
    SignedOff,
    Since,
    SourceSummary,
    Step,
    Tally,
    Total,
)


def is_cancelling(record: Record) -> bool:
    """Whether a cancellation was asked for, and what came of it is not known."""
    asked = record.cancellation is not None and record.cancellation.step is CancelStep.REQUESTED
    return asked and record.state is not State.CANCELLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Everything that a report shows."""

    company: str
    company_name: str
    runs: tuple[RunRecord, ...]
    as_of: str
    """Time of the newest thing known, UTC ISO."""
    stopped: str
    """The sentence that ended the run early, in English as the key of the catalog; empty when it reached its end."""
    stopped_with: Mapping[str, str]
    """What fills the places of that sentence."""
    tolerance: Decimal
    sources: tuple[SourceSummary, ...]
    rows: int
    records: tuple[Record, ...]
    """The documents of the ledger that are reconciled: with files, those that the files have too."""
    held_back: tuple[HeldBack, ...]
    notes: tuple[ProblemText, ...]
    """Problems that do not hold a document back, and those of files as a whole."""
    conflicts: tuple[Conflict, ...]
    differences: tuple[Difference, ...]
    states: Mapping[State, Total]
    bridge: tuple[Step, ...]
    by_type: tuple[Group, ...]
    by_branch: tuple[Group, ...]
    by_day: tuple[Group, ...]
    by_payment: tuple[Group, ...]
    refusals: tuple[Refusal, ...]
    ages: tuple[tuple[str, int, Decimal], ...]
    """All contingency of the company by age at `as_of`: (bucket key, documents, gross) for `<1h`, `<24h`, `24-72h`,
    `>72h`, `>7d`. Carried documents count too."""
    rejection_ages: tuple[tuple[str, int, Decimal], ...] = ()
    """The same for rejections, from when they were refused: after 24 hours a rejected document needs a new code."""
    scope: Scope = Scope()
    comparison: Comparison | None = None
    """Only where files were compared with the ledger."""
    sales: Total = field(default_factory=Total)
    """What was sold, of documents stamped or in contingency: invoices, credit receipts and exports, less credit notes
    (05). Purchases from excluded subjects (14) are no sales. Amounts are the provider's where it answered. A CCF
    that a credit note undid counts, as the note does."""
    contingency: ContingencyBridge = field(default_factory=ContingencyBridge)
    carried: tuple[Record, ...] = ()
    """Open documents of the company that are not among `records`: contingency, doubts, refusals, cancellations in doubt
    and looks owed, of other runs."""
    still_in_files: tuple[Record, ...] = ()
    """Cancelled documents whose sale the files still have."""
    series: tuple[Series, ...] = ()
    odd_numbers: tuple[Record, ...] = ()
    """Documents with a control number that is not built like one."""
    other_months: tuple[OtherMonth, ...] = ()
    noted: tuple[Note, ...] = ()
    """What persons wrote about the documents shown here, the oldest first."""
    sign_offs: tuple[SignedOff, ...] = ()
    """Of periods that share a day with this one."""
    since: Since | None = None
    open_items: tuple[OpenItem, ...] = ()
    """Everything that needs a person, the most urgent first; a document once for each cause."""

    @property
    def total(self) -> Total:
        """All documents of the sources, in the ledger or not; base, VAT and withheld of those in the ledger."""
        known = self.states.values()
        beside = [one for one in self.bridge if one.key == "documents"]
        return Total(
            documents=beside[0].documents,
            gross=beside[0].gross,
            provider_gross=total_of(one.provider_gross for one in known),
            taxable=total_of(one.taxable for one in known),
            vat=total_of(one.vat for one in known),
            retention=total_of(one.retention for one in known),
            income_tax=total_of(one.income_tax for one in known),
        )

    @property
    def late_rejections(self) -> tuple[Record, ...]:
        """The documents here that customers may hold although the ministry rejected them."""
        return tuple(record for record in self.records if record.is_late_rejection)

    @property
    def cancelling(self) -> tuple[Record, ...]:
        """Documents of which a cancellation was asked for, and what came of it is not known."""
        return tuple(filter(is_cancelling, self.records))

    @property
    def withdrawn(self) -> int:
        """How many documents here a person has said are not to be issued."""
        return sum(bool(record.withdrawn_at) for record in self.records)

    @property
    def invoiced(self) -> Tally:
        """The documents of the ledger here that sell something (01, 03, 11), whatever became of them."""
        return self._of_types(lambda doc_type: doc_type not in (CREDIT_NOTE, EXCLUDED_SUBJECT))

    @property
    def credit_notes(self) -> Tally:
        """Those that take something back (05), as positive amounts."""
        return self._of_types(lambda doc_type: doc_type == CREDIT_NOTE)

    @property
    def purchases(self) -> Tally:
        """Those that are purchases (14)."""
        return self._of_types(lambda doc_type: doc_type == EXCLUDED_SUBJECT)

    def _of_types(self, belongs: Callable[[str], bool]) -> Tally:
        groups = [group.total for group in self.by_type if belongs(group.name)]
        return Tally(documents=sum(one.documents for one in groups), gross=total_of(one.gross for one in groups))

    @property
    def unexplained(self) -> Tally:
        """What the bridge does not account for; nothing, unless a step is wrong."""
        documents, gross, left, result = 0, NOTHING, NOTHING, 0
        # A result (sign 0) must be the one before less the steps between; the last one's steps leave nothing.
        for number, step in enumerate(self.bridge):
            if step.sign == 0 and number:
                documents, gross = documents + abs(result - step.documents), gross + abs(left - step.gross)
            if step.sign == 0:
                result, left = step.documents, step.gross
            else:
                result, left = result - step.documents, left - step.gross
        return Tally(documents=documents + abs(result), gross=gross + abs(left))

    @property
    def missing(self) -> tuple[Missing, ...]:
        return self.comparison.missing if self.comparison else ()

    @property
    def only_in_ledger(self) -> tuple[Record, ...]:
        return self.comparison.only_in_ledger if self.comparison else ()

    def in_state(self, *states: State) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.state in states)

    @property
    def beyond_tolerance(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.within_tolerance)

    @property
    def within_tolerance(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.within_tolerance)

    @property
    def needs_person(self) -> int:
        """How many documents somebody has to look at; a problem of a file or row that belongs to none counts as one."""
        return len({item.external_ref for item in self.open_items if item.external_ref}) + sum(
            1 for item in self.open_items if not item.external_ref
        )

    @property
    def file_problems(self) -> int:
        """Problems that block but belong to no document."""
        return sum(1 for note in self.notes if note.severity == "blocks")

    @property
    def left_open(self) -> int:
        """How many of those are documents of other runs."""
        return sum(item.cause is Cause.LEFT_OPEN for item in self.open_items)

    @property
    def exit_code(self) -> int:
        """0 nothing needs a person, 1 something does. Runs that stopped early have their own code."""
        return 1 if self.open_items else 0

    @property
    def verdict(self) -> str:
        """Catalog text of the one sentence on top; `verdict_parameters` fill its places."""
        # The first sentence that holds, from what is most urgent to nothing to do.
        if self.stopped:
            return N_("The run stopped before its end. What is shown is what is known; run the same command again.")
        if self.left_open == self.needs_person > 0:
            return N_("Nothing more is to be done with these {documents} documents, but {left} of other runs are open.")
        if self.left_open:
            return N_("{needs} of {documents} documents need a person, and {left} of other runs are open.")
        if self.needs_person:
            return N_("{needs} of {documents} documents need a person.")
        if self.states.get(State.CONTINGENCY, Total()).documents:
            return N_("Everything is issued. {contingency} of {documents} documents await the ministry's stamp.")
        if not self.total.documents:
            return N_("There is nothing to issue here.")
        if self.states.get(State.CANCELLED, Total()).documents == self.total.documents:
            return N_("All {documents} documents are cancelled.")
        if self.states.get(State.CANCELLED, Total()).documents:
            return N_("Nothing needs a person: {stamped} of {documents} documents are stamped, {cancelled} cancelled.")
        if self.withdrawn:
            return N_("Nothing needs a person: {stamped} of {documents} documents are stamped, {withdrawn} withdrawn.")
        return N_("All {documents} documents are stamped.")

    @property
    def verdict_parameters(self) -> Mapping[str, str]:
        return {
            "documents": f"{self.total.documents:,}",
            "needs": f"{self.needs_person - self.left_open:,}",
            "left": f"{self.left_open:,}",
            "contingency": self._count(State.CONTINGENCY),
            "stamped": self._count(State.STAMPED),
            "withdrawn": f"{self.withdrawn:,}",
            "cancelled": self._count(State.CANCELLED),
        }

    def _count(self, state: State) -> str:
        return f"{self.states.get(state, Total()).documents:,}"
