"""Ledgers to test with: small histories written by hand, and random ones."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from batch_issuer.ledger.opening import open_to_read, open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.model.documents import Amounts
from batch_issuer.model.records import Answer, CancelStep, Kind, NewEvent, Record, RunRecord, write_answer
from batch_issuer.model.states import State

COMPANY = "default"
NOON = dt.datetime(2026, 11, 21, 18, 0, tzinfo=dt.UTC)
ANSWER = Answer(
    http_status=200,
    document_id="0a1b2c3d-0000-4000-8000-000000000001",
    control_number="DTE-01-M001P001-000000000000001",
    generation_code="0A1B2C3D-0000-4000-8000-000000000001",
    reception_stamp="20261121120000ABCDEF",
    amounts=Amounts(taxable=Decimal("4.42"), vat=Decimal("0.58"), gross=Decimal("5.00"), total=Decimal("5.00")),
    dte_state="PROCESADO",
)


def answer_of(ref: str) -> Answer:
    """`ANSWER` for A-1; for every other document one with a code, a stamp and a number of its own."""
    if ref == "A-1":
        return ANSWER
    own = digest(ref)[:12]
    return replace(
        ANSWER,
        document_id=f"0a1b2c3d-0000-4000-8000-{own}",
        control_number=f"DTE-01-M001P001-{int(own, 16) % 10**15:015d}",
        generation_code=f"0A1B2C3D-0000-4000-8000-{own.upper()}",
        reception_stamp=f"{own}20261121".upper(),
    )


MEMO = {"document_id": "0a1b2c3d-0000-4000-8000-000000000002", "control_number": "DTE-05-M001P001-000000000000001"}


class Clock:
    """A second later each time it is asked."""

    def __init__(self, start: dt.datetime = NOON) -> None:
        self.now = start

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(seconds=1)
        return self.now


def digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def planned(ref: str, content: str = "{}", gross: str = "5.00", **more: Any) -> NewEvent:
    body: dict[str, Any] = {
        "doc_type": "01", "fingerprint": digest(content), "expected_gross": gross, "body": content,
        "file": "ventas.csv", "sheet": "", "rows": [2, 3], "date": "2026-11-21", "branch": "Centro",
        "customer": "Ana Pérez", "payment_method": "01", "lines": 2,
    }  # fmt: skip
    return NewEvent(kind=Kind.PLANNED, external_ref=ref, body=body | more)


def sending(ref: str) -> NewEvent:
    return NewEvent(kind=Kind.SENDING, external_ref=ref, body={"fingerprint": digest("{}")})


def answered(ref: str, state: State = State.STAMPED, answer: Answer | None = None, **more: Any) -> NewEvent:
    body = {"state": state.value, "answer": write_answer(answer or answer_of(ref))}
    return NewEvent(kind=Kind.ANSWERED, external_ref=ref, body=body | more)


def unanswered(ref: str, state: State = State.UNSURE, reason: str = "read-timeout") -> NewEvent:
    body: dict[str, Any] = {"state": state.value, "reason": reason, "answer": {}, "detail": "nothing came"}
    return NewEvent(kind=Kind.UNANSWERED, external_ref=ref, body=body)


def released(ref: str, reason: str = "run-ended", *, unsent: bool = True) -> NewEvent:
    body = {"state": State.PLANNED.value, "reason": reason, "unsent": unsent}
    return NewEvent(kind=Kind.RELEASED, external_ref=ref, body=body)


def cancelling(ref: str) -> NewEvent:
    return NewEvent(kind=Kind.CANCELLING, external_ref=ref, body={})


def cancel_unanswered(ref: str, step: CancelStep = CancelStep.REQUESTED, *, unsent: bool = False) -> NewEvent:
    body: dict[str, Any] = {"step": step.value, "reason": "read-timeout", "words": "nothing came", "unsent": unsent}
    return NewEvent(kind=Kind.CANCEL_UNANSWERED, external_ref=ref, body=body)


def cancel_answered(ref: str, step: CancelStep = CancelStep.DONE, **more: Any) -> NewEvent:
    body = {"step": step.value, "stamp": "20261121130000FEDCBA", "reason": "", "words": ""}
    return NewEvent(kind=Kind.CANCEL_ANSWERED, external_ref=ref, body=body | more)


def recognised(ref: str, external_ref: str = "0001") -> NewEvent:
    body = {"external_ref": external_ref, "date": "2026-11-22", "branch": "", "till": ""}
    return NewEvent(kind=Kind.RECOGNISED, external_ref=ref, body=body)


def accepted(ref: str) -> NewEvent:
    return NewEvent(kind=Kind.RECOGNISED, external_ref=ref, body={"at_provider": True})


def withdrawn(ref: str) -> NewEvent:
    return NewEvent(kind=Kind.WITHDRAWN, external_ref=ref, body={"by": "Ana", "reason": "not sold"})


def look_owed(ref: str, why: str = "credited") -> NewEvent:
    return NewEvent(kind=Kind.LOOK_OWED, external_ref=ref, body={"why": why})


def run_read(*refs: str) -> NewEvent:
    return NewEvent(kind=Kind.RUN_READ, body={"refs": list(refs), "documents": len(refs), "rows": 2 * len(refs)})


def run_ended(exit_code: int | None = None) -> NewEvent:
    return NewEvent(kind=Kind.RUN_ENDED, body={"exit_code": exit_code, "posts": 1, "stopped": ""})


def key_seen(environment: str = "") -> NewEvent:
    return NewEvent(kind=Kind.KEY_SEEN, body={"salt": "s", "digest": "d", "environment": environment})


@dataclass(frozen=True, slots=True)
class Step:
    """Events that are written together, for one company's newest run."""

    company: str
    events: tuple[NewEvent, ...]
    new_run: bool = False


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
MONEY = st.decimals(min_value=0, max_value=10**9, places=2)
ANSWERS = st.builds(
    Answer,
    issuer_nit=st.sampled_from(("", "06140101901010")),
    environment=st.sampled_from(("", "test", "production")),
    http_status=st.none() | st.integers(100, 599),
    document_id=TEXTS,
    control_number=TEXTS,
    generation_code=TEXTS,
    reception_stamp=TEXTS,
    amounts=st.builds(
        Amounts, **{name: st.none() | MONEY for name in ("taxable", "vat", "gross", "retention", "total")}
    ),
    is_duplicate=st.booleans(),
    dte_state=TEXTS,
    dte_message=TEXTS,
    codigo_msg=TEXTS,
    observaciones=st.lists(TEXTS, max_size=3).map(tuple),
    detail=TEXTS,
)
_REFS = ("A-1", "A-2", "ñ/…?#", " ", "0001")
_ROWS = st.lists(st.integers(1, 40), min_size=1, max_size=8)


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """A history of two companies that could have been written: every document is planned before anything else."""
    known: set[tuple[str, str]] = set()
    found = []
    for _ in range(draw(st.integers(1, 8))):
        company = draw(st.sampled_from(["default", "Tienda Ñ"]))
        events = [draw(_event(company, known)) for _ in range(draw(st.integers(1, 5)))]
        found.append(Step(company=company, events=tuple(events), new_run=draw(st.booleans())))
    return found


@st.composite
def _event(draw: st.DrawFn, company: str, known: set[tuple[str, str]]) -> NewEvent:
    ref = draw(st.sampled_from(_REFS))
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([run_read(ref), run_ended(1), key_seen("test")]))
    if (company, ref) not in known or draw(st.integers(0, 4)) == 0:
        known.add((company, ref))
        content = draw(TEXTS)
        return planned(ref, content, str(draw(MONEY)), rows=draw(_ROWS), customer=draw(TEXTS), branch=draw(TEXTS))
    state = draw(st.sampled_from(list(State)))
    return draw(
        st.sampled_from([sending(ref), released(ref), released(ref, "not-found", unsent=False), unanswered(ref, state)])
        | ANSWERS.map(lambda answer: answered(ref, state, answer, unexpected_duplicate=answer.is_duplicate))
        | st.sampled_from([recognised(ref), accepted(ref), withdrawn(ref), look_owed(ref)])
        | st.sampled_from([cancelling(ref), *(cancel_answered(ref, step, memo=MEMO) for step in CancelStep)])
    )


def write(path: Path, history: Sequence[Step]) -> None:
    """Write a history into a new ledger, every company with a `Ledger` of its own."""
    clock, runs, ledgers = Clock(), dict[str, str](), dict[str, Ledger]()
    with ExitStack() as stack:
        for step in history:
            if step.company not in ledgers:
                opened = open_to_write(path, step.company, create=True, clock=clock)
                ledgers[step.company] = stack.enter_context(opened)
            ledger = ledgers[step.company]
            if step.new_run or step.company not in runs:
                runs[step.company] = ledger.begin_run(step.company, "issue").run
            ledger.append(step.company, runs[step.company], step.events)


SMALL = (
    Step(COMPANY, (key_seen(), run_read("A-1", "A-2", "A-3", "A-4"), *(planned(f"A-{n}") for n in (1, 2, 3, 4)))),
    Step(COMPANY, (sending("A-1"), sending("A-2"), sending("A-3"))),
    Step(COMPANY, (answered("A-1"), unanswered("A-2"), answered("A-3", State.CONTINGENCY))),
    Step(COMPANY, (run_ended(),)),
)
"""One document stamped, one unsure, one in contingency, one planned."""


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a ledger tells."""

    records: list[Record] = field(default_factory=list)
    runs: list[RunRecord] = field(default_factory=list)
    stories: Mapping[tuple[str, str], list[Any]] = field(default_factory=dict)
    bodies: Mapping[str, bytes] = field(default_factory=dict)


def told(ledger: Ledger) -> Told:
    records = list(ledger.all_records())
    asked = [ledger.record(record.company, record.external_ref) for record in records]
    assert asked == records, "a document that is asked for by its reference is another one"
    return Told(
        records=records,
        runs=[ledger.run(run.run) for run in ledger.runs()],
        stories={
            (record.company, record.external_ref): ledger.story(record.company, record.external_ref)
            for record in records
        },
        bodies=ledger.bodies([record for record in records if record.company == COMPANY]),
    )


@contextmanager
def reading(path: Path) -> Iterator[Ledger]:
    ledger = open_to_read(path)
    try:
        yield ledger
    finally:
        ledger.close()


def tamper(path: Path, *statements: str, **values: object) -> None:
    """Change a ledger behind its back, as whoever holds the file can; `:name` in a statement is a value."""
    connection = sqlite3.connect(path)
    for trigger in ("events_are_not_changed", "events_are_not_deleted"):
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    for statement in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()
