from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from io import BytesIO
from typing import Any

import pytest

from batch_issuer.messages import Messages
from batch_issuer.model.states import State
from batch_issuer.reconcile import Change, Reconciliation, as_json, findings_json
from batch_issuer.reports.figures import fingerprint
from batch_issuer.reports.masking import masked
from batch_issuer.reports.page.page import page_text
from batch_issuer.reports.workbook.workbook import workbook_content
from tests.reports import invented

PERSON = "Nadia Inventada Ejemplo"
SECRETS = {
    PERSON, "Inventada", "0614-101090-101-2", "01234567-8", "012345678", "nadia@example.com", "7123-4567",
    "Colonia Ficticia 14", "31415-9",
}  # fmt: skip
WORDS = f"{PERSON}, NIT 0614-101090-101-2, DUI 01234567-8 y 012345678, nadia@example.com, tel. 7123-4567"


@pytest.fixture(scope="module")
def secretive() -> Reconciliation:
    """An eventful day on which every place that can name a person does."""
    day = invented.a_comparison(60)
    records = tuple(
        replace(
            one,
            customer=PERSON,
            answer=replace(
                one.answer, detail=WORDS, dte_message=WORDS, observaciones=(WORDS,) * bool(one.answer.observaciones)
            ),
        )
        for one in day.records
    )
    held_back = tuple(
        replace(
            held,
            customer=PERSON,
            problems=tuple(
                replace(one, external_ref=held.external_ref, value=WORDS, message={"en": WORDS, "es": WORDS})
                for one in held.problems
            ),
        )
        for held in day.held_back
    )
    address = replace(
        held_back[0].problems[0], field="address", value="Colonia Ficticia 14",
        message={"en": "«Colonia Ficticia 14» is too long.", "es": "«Colonia Ficticia 14» es muy largo."},
    )  # fmt: skip
    nrc = replace(
        address,
        field="nrc",
        value="31415-9",
        message={"en": "The NRC «31415-9» is wrong.", "es": "El NRC «31415-9» no es."},
    )
    changes = (
        Change(what="customer_name", issued=PERSON, file="Otro Nombre"),
        Change(what="nrc", issued="31415-9", file="1234567-8"),
        Change(what="line 2: description", issued=WORDS.replace(PERSON, "x"), file="y"),
    )
    return replace(
        day,
        records=records,
        held_back=(replace(held_back[0], problems=(address, nrc)), *held_back[1:]),
        conflicts=(replace(day.conflicts[0], changes=changes),),
        refusals=tuple(
            replace(
                one,
                message=WORDS.replace(PERSON, "x"),
                records=(next(of for of in records if of.state is State.REJECTED),),
            )
            for one in day.refusals
        ),
        noted=tuple(replace(one, external_ref=records[0].external_ref, reason=WORDS) for one in day.noted),
    )


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from texts_in(one)
    elif isinstance(value, dict):
        yield from texts_in(list(value.values()))
    elif is_dataclass(value):
        for one in fields(value):
            yield from texts_in(getattr(value, one.name))


def test_nobody_can_be_told_from_the_value(secretive: Reconciliation) -> None:
    """Every text of the whole tree, whatever report would show it."""
    everything = "\n".join(texts_in(masked(secretive)))
    assert {secret for secret in SECRETS if secret in "\n".join(texts_in(secretive))} == SECRETS
    assert {secret for secret in SECRETS if secret in everything} == set()
    assert "N. I. E." in everything


@pytest.mark.parametrize("language", ["es", "en"])
def test_nor_from_page_workbook_and_json(secretive: Reconciliation, language: str) -> None:
    """What is written holds none of it, in the embedded data either."""
    hidden = masked(secretive)
    with zipfile.ZipFile(BytesIO(workbook_content(hidden, Messages(language)))) as book:
        sheets = "\n".join(book.read(name).decode() for name in book.namelist())
    written = (page_text(hidden, Messages(language)), sheets, json.dumps(as_json(hidden) | findings_json(hidden)))
    assert [secret for text in written for secret in SECRETS if secret in text] == []


def test_figures_stay_the_same(secretive: Reconciliation) -> None:
    """A masked report is about the same documents: same fingerprint, references, numbers and amounts."""
    hidden = masked(secretive)
    assert fingerprint(hidden) == fingerprint(secretive)
    assert [one.answer.control_number for one in hidden.records] == [
        one.answer.control_number for one in secretive.records
    ]
    assert (hidden.bridge, hidden.states, hidden.series) == (secretive.bridge, secretive.states, secretive.series)
    assert hidden.in_state(State.REJECTED)[0] in [one for refusal in hidden.refusals for one in refusal.records]
    assert masked(hidden) == hidden
