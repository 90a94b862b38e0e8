"""Whatever befell a document, every command names the same late rejections, and only those that customers may hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from batch_issuer.model.records import AFTER_CONTINGENCY, Event, NewEvent, Record, RunRecord, fold
from batch_issuer.model.states import ISSUED, WITHDRAWABLE, State, rejects_late
from batch_issuer.reconcile import About, Background, Scope, as_json, reconcile
from tests.ledger.histories import answered, planned, released, sending, unanswered, withdrawn

REF = "A-1"
ANSWERS = (State.STAMPED, State.CONTINGENCY, State.REJECTED, State.INVALID, State.UNSURE)
STEPS = st.sampled_from([*ANSWERS, "planned", "sending", "silence", "released", "withdrawn"])


def moment(number: int) -> str:
    return f"2026-11-21T{6 + number // 60:02}:{number % 60:02}:00.000+00:00"


def event_of(step: State | str, record: Record) -> NewEvent:
    """What the sender writes: it takes the reason of a late rejection from `rejects_late`."""
    if isinstance(step, State):
        return answered(REF, step, reason=AFTER_CONTINGENCY if rejects_late(record.state, step) else "")
    return {
        "planned": planned(REF),
        "sending": sending(REF),
        "silence": unanswered(REF, record.state if record.state is State.CONTINGENCY else State.UNSURE),
        "released": released(REF, unsent=False),
        "withdrawn": withdrawn(REF),
    }[step]


def lived(steps: Sequence[State | str]) -> tuple[Record, bool]:
    """The document after its history, and whether a customer may hold what was rejected, told without the record."""
    record: Record | None = None
    in_contingency = held = withdrawn_since = False
    for number, step in enumerate(["planned", *steps], 1):
        if step == "withdrawn" and record is not None and record.state not in WITHDRAWABLE:
            continue
        new = planned(REF) if record is None else event_of(step, record)
        event = Event(
            seq=number, at=moment(number), run="r", company="default", external_ref=REF, kind=new.kind,
            body=json.dumps(dict(new.body)),
        )  # fmt: skip
        record = fold(record, event, new.body)
        # What a person took out of the books is nobody's business until a file brings it back.
        withdrawn_since = step == "withdrawn" or (withdrawn_since and step != "planned")
        held = in_contingency and step is State.REJECTED and not withdrawn_since
        in_contingency = step is State.CONTINGENCY or (in_contingency and step == "silence")
    assert record is not None
    return record, held


def named(record: Record, scope: Scope, command: str) -> list[str]:
    run = RunRecord(
        run="r", company="default", command=command, version="0", started_at=moment(0), ended_at=moment(900),
        summary={"rows": 1, "sources": [], "refs": [REF], "amounts": ["5.00"]}, ending={"stopped": ""},
    )  # fmt: skip
    made = reconcile(
        company="default", company_name="", runs=[run], records=[record], tolerance=Decimal("0.01"), scope=scope,
        background=Background(as_of=moment(900)),
    )  # fmt: skip
    late = [one.external_ref for refusal in made.refusals if refusal.after_contingency for one in refusal.records]
    said = as_json(made)["late_rejections"]
    assert late == said, "the page says it of other documents than the JSON"
    return list(said)


@example([State.CONTINGENCY, State.REJECTED])
@example([State.CONTINGENCY, State.REJECTED, "planned", "sending", State.REJECTED])
@example([State.CONTINGENCY, State.REJECTED, "planned", "sending", State.CONTINGENCY, State.REJECTED])
@example([State.CONTINGENCY, State.REJECTED, "withdrawn"])
@example([State.CONTINGENCY, "silence", State.REJECTED])
@given(st.lists(STEPS, max_size=10))
def test_every_command_names_the_same_late_rejections(steps: list[State | str]) -> None:
    record, held = lived(steps)
    issue = named(record, Scope(about=About.RUN, run="r"), "issue")
    report = named(record, Scope(about=About.PERIOD, first="2026-11-21", last="2026-11-21"), "issue")
    assert issue == report == ([REF] if held else [])


@given(st.sampled_from(State), st.sampled_from(State))
def test_only_what_was_accepted_can_be_rejected_late(before: State, now: State) -> None:
    if rejects_late(before, now):
        assert before in ISSUED
        assert now is State.REJECTED
