"""Which credit notes may go: pure, over whatever the ledger and the provider say."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.documents import Amounts, SourceRows
from batch_issuer.model.records import Answer, Record
from batch_issuer.model.states import State
from batch_issuer.plan.credit_notes import Balance, Ccf, balance_of, why_wait
from batch_issuer.provider.classify import Reason

UUID = "0a1b2c3d-0000-4000-8000-000000000001"


def record(ref: str, gross: str, state: State, doc_type: str = "03", **more: object) -> Record:
    return Record(
        company="default",
        external_ref=ref,
        doc_type=doc_type,
        state=state,
        fingerprint="",
        expected_gross=Decimal(gross),
        source=SourceRows(file="ventas.csv"),
        **more,  # type: ignore[arg-type]
    )


def note(ref: str, gross: str, state: State = State.PLANNED, adjusts: str = "C-1") -> Record:
    return record(ref, gross, state, "05", adjusts=adjusts)


class Remembered:
    """A ledger of these records."""

    def __init__(self, *records: Record) -> None:
        self._records = records

    def records(self, _company: str, references: object) -> dict[str, Record]:
        wanted = set(references)  # type: ignore[call-overload]
        return {one.external_ref: one for one in self._records if one.external_ref in wanted}

    def of_type(self, _company: str, doc_type: str, states: Sequence[State]) -> list[Record]:
        return [one for one in self._records if one.doc_type == doc_type and one.state in states]


def judged(subject: Record, *records: Record, full: bool = False) -> Reason | None:
    balance = balance_of(Remembered(*records), "default", [subject.adjusts], [subject.external_ref])
    return why_wait(subject, balance, full=full)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.STAMPED, None),
        (State.CONTINGENCY, Reason.CCF_CONTINGENCY),
        (State.REJECTED, Reason.CCF_REJECTED),
        (State.INVALID, Reason.CCF_REJECTED),
        (State.CANCELLED, Reason.CCF_CANCELLED),
        (State.UNSURE, Reason.CCF_NOT_ISSUED),
        (State.SENDING, Reason.CCF_NOT_ISSUED),
        (State.PLANNED, Reason.CCF_NOT_ISSUED),
    ],
)
def test_only_a_stamp_lets_a_note_go(state: State, reason: Reason | None) -> None:
    """Whatever else is known of the CCF, its note waits, with the reason."""
    assert judged(note("N-1", "1.00"), record("C-1", "113.00", state)) is reason


@pytest.mark.parametrize("state", list(State))
def test_what_is_or_may_be_issued_counts(state: State) -> None:
    """A note in doubt may exist; one that was refused, cancelled or never sent does not."""
    counts = state in (State.STAMPED, State.CONTINGENCY, State.SENDING, State.UNSURE)
    ccf, before = record("C-1", "113.00", State.STAMPED), note("N-0", "100.00", state)
    assert judged(note("N-1", "13.00"), ccf, before) is None
    assert judged(note("N-1", "13.01"), ccf, before) is (Reason.CREDIT_OVER_CCF if counts else None)


def test_a_ccf_has_several_names() -> None:
    """Our reference, the provider's id and the generation code, which is the same in capitals, are one CCF."""
    ccf = record("C-1", "113.00", State.STAMPED, answer=Answer(document_id=UUID))
    before = [note("N-0", "50.00", State.STAMPED), note("N-1", "50.00", State.STAMPED, adjusts=UUID)]
    for name in ("C-1", UUID, UUID.upper()):
        assert judged(note("N-2", "13.00", adjusts=name), ccf, *before) is None
        assert judged(note("N-2", "13.01", adjusts=name), ccf, *before) is Reason.CREDIT_OVER_CCF


def test_all_of_a_ccf_can_be_credited_once_and_alone() -> None:
    """After any other note nothing is left that would be all of it; the provider's amount counts before ours."""
    ccf = record("C-1", "113.00", State.STAMPED, answer=Answer(amounts=Amounts(gross=Decimal("113.01"))))
    assert judged(note("N-1", "0.00"), ccf, full=True) is None
    assert judged(note("N-1", "0.00"), ccf, note("N-0", "0.01", State.STAMPED), full=True) is Reason.CREDIT_OVER_CCF
    assert judged(note("N-1", "113.01"), ccf) is None


def test_a_note_of_something_else_never_goes() -> None:
    """Neither of a factura, nor of what nobody knows."""
    assert judged(note("N-1", "1.00"), record("C-1", "113.00", State.STAMPED, "01")) is Reason.NOT_A_CCF
    assert judged(note("N-1", "1.00")) is Reason.CCF_NOT_FOUND


@given(
    gross=st.decimals("0.01", "999.99", places=2),
    notes=st.lists(st.tuples(st.sampled_from(["C-1", UUID]), st.decimals("0.01", "400", places=2), st.booleans())),
)
def test_never_more_than_is_left(gross: Decimal, notes: list[tuple[str, Decimal, bool]]) -> None:
    """However many notes by whichever name, what may go never exceeds the CCF."""
    balance = Balance()
    balance.add(Ccf(key="C-1", doc_type="03", gross=gross, state=State.STAMPED), ["C-1", UUID])
    for name, some, full in notes:
        amount = gross if full else some
        if why_wait(note("N", str(amount), adjusts=name), balance, full=full) is None:
            balance.credit(name, amount)
    assert balance.of("C-1") == balance.of(UUID) <= gross
