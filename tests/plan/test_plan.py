from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.documents import SourceRows
from batch_issuer.model.records import Record
from batch_issuer.model.states import Action, State
from batch_issuer.plan.plan import Candidate, Plan, decide, make_plan, select

TABLE = {
    (None, False): Action.ISSUE,
    (None, True): Action.ISSUE,
    (State.PLANNED, False): Action.ISSUE,
    (State.PLANNED, True): Action.ISSUE,
    (State.SENDING, False): Action.ASK,
    (State.SENDING, True): Action.ASK,
    (State.UNSURE, False): Action.ASK,
    (State.UNSURE, True): Action.ASK,
    (State.STAMPED, False): Action.NOTHING,
    (State.STAMPED, True): Action.CONFLICT,
    (State.CONTINGENCY, False): Action.WATCH,
    (State.CONTINGENCY, True): Action.CONFLICT,
    (State.REJECTED, False): Action.NOTHING,
    (State.REJECTED, True): Action.ISSUE,
    (State.INVALID, False): Action.NOTHING,
    (State.INVALID, True): Action.ISSUE,
    (State.CANCELLED, False): Action.NOTHING,
    (State.CANCELLED, True): Action.CONFLICT,
}
"""The plan table of the design, every cell of it."""


def candidate(number: int, fingerprint: str = "same") -> Candidate:
    return Candidate(
        number=number, external_ref=f"R{number}", doc_type="01", fingerprint=fingerprint, gross=Decimal("1.13")
    )


def record(number: int, state: State, fingerprint: str = "same") -> Record:
    return Record(
        company="default", external_ref=f"R{number}", doc_type="01", state=state, fingerprint=fingerprint,
        expected_gross=Decimal("1.13"), source=SourceRows(file="v.csv"), attempts=1,
    )  # fmt: skip


@pytest.mark.parametrize(("state", "changed"), TABLE)
def test_every_cell_of_the_plan_table(state: State | None, *, changed: bool) -> None:
    """Each state, with the content as it was and with another, leads to what the table says."""
    assert decide(state, changed=changed) is TABLE[state, changed]


def test_the_table_has_every_cell() -> None:
    """A state that somebody adds has to be decided about."""
    assert set(TABLE) == {(state, changed) for state in (None, *State) for changed in (False, True)}


def planned(states: Sequence[tuple[State | None, bool]]) -> Plan:
    candidates = [candidate(number, "other" if changed else "same") for number, (_, changed) in enumerate(states)]
    records = {f"R{number}": record(number, state) for number, (state, _) in enumerate(states) if state is not None}
    return make_plan(candidates, records)


CELLS = st.lists(st.tuples(st.sampled_from([None, *State]), st.booleans()), max_size=25)


@given(CELLS)
def test_a_plan_has_every_document_once_in_the_order_of_the_files(states: list[tuple[State | None, bool]]) -> None:
    """Nothing is dropped, doubled or reordered; each action is the table's."""
    plan = planned(states)
    assert [step.candidate.external_ref for step in plan.steps] == [f"R{number}" for number in range(len(states))]
    assert [step.action for step in plan.steps] == [TABLE[state, changed] for state, changed in states]
    assert sum(plan.counts.values()) == len(states)


@given(CELLS, st.integers(0, 10))
def test_a_limit_counts_what_would_be_sent(states: list[tuple[State | None, bool]], limit: int) -> None:
    """The first so many that would be sent stay, and everything that needs no sending stays too."""
    plan = planned(states)
    kept = select(plan, limit=limit)
    sent = [step for step in plan.steps if step.action in (Action.ISSUE, Action.ASK)]
    assert [step for step in kept.steps if step.action in (Action.ISSUE, Action.ASK)] == sent[:limit]
    quiet = [step for step in plan.steps if step.action not in (Action.ISSUE, Action.ASK)]
    assert [step for step in kept.steps if step.action not in (Action.ISSUE, Action.ASK)] == quiet


def test_only_takes_states_types_and_references() -> None:
    """`--only` keeps what any of its words names; a document that the ledger does not know counts as planned."""
    plan = planned([(None, False), (State.STAMPED, False), (State.UNSURE, False)])

    def kept(*only: str) -> list[str]:
        return [step.candidate.external_ref for step in select(plan, only=only).steps]

    assert kept("planned") == ["R0"]
    assert kept("unsure", "R1") == ["R1", "R2"]
    assert kept("01") == ["R0", "R1", "R2"]
    assert kept("03") == []


def test_a_finished_file_is_recognised() -> None:
    """Only when every document was sent before is it the same file again."""
    assert planned([(State.STAMPED, False), (State.REJECTED, False)]).seen_before
    assert not planned([(State.STAMPED, False), (None, False)]).seen_before
    assert not planned([]).seen_before
