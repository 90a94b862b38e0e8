"""What the provider said about a document and about its cancellation, and both as plain JSON in an event's body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from batch_issuer.model.documents import Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider said about a document, without its file URLs' keys. None where it did not say."""

    http_status: int | None = None
    doc_type: str = ""
    document_id: str = ""
    control_number: str = ""
    generation_code: str = ""
    reception_stamp: str = ""
    is_duplicate: bool = False
    dte_state: str = ""
    dte_message: str = ""
    codigo_msg: str = ""
    """The ministry's code of a rejection."""
    detail: str = ""
    """The provider's error text."""
    issuer_nit: str = ""
    """Digits of the NIT of who issued, where the answer carries the document."""
    environment: str = ""
    """`test` or `production`, from the same place."""
    observaciones: tuple[str, ...] = ()
    """What the ministry observed, of a rejected document or of a stamped one."""
    amounts: Amounts = Amounts()

    @property
    def words(self) -> tuple[str, ...]:
        """What the provider said in words: the ministry's observations, else its message and the provider's detail."""
        return self.observaciones or tuple(filter(None, (self.dte_message, self.detail)))

    @property
    def said(self) -> str:
        """`words` as one text, without a code."""
        return "; ".join(self.words)

    @property
    def said_with_code(self) -> str:
        """`said` with the ministry's code before it."""
        return " · ".join(filter(None, (self.codigo_msg, self.said)))


NO_ANSWER = Answer()


class CancelStep(StrEnum):
    """How far a cancellation has come. Only `DONE` changes the document's state."""

    REQUESTED = "requested"
    """The intent is written; what came of it is not known."""
    PENDING = "pending"
    """The provider took it; the ministry has not answered yet."""
    REFUSED = "refused"
    DONE = "done"


UNDER_WAY = frozenset({CancelStep.REQUESTED, CancelStep.PENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditMemo:
    """The credit note that the provider wrote in place of a late invalidation; what it did not say is empty."""

    document_id: str = ""
    control_number: str = ""
    generation_code: str = ""
    reception_stamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What is known about the cancelling of a document."""

    step: CancelStep
    requests: int = 0
    """POSTs whose intent was written."""
    requested_at: str = ""
    updated_at: str = ""
    stamp: str = ""
    """The ministry's stamp on the invalidation."""
    memo: CreditMemo | None = None
    reason: str = ""
    """Code of why it is not done, as for documents."""
    words: str = ""
    """The provider's own."""


# The order of the fields is that of the JSON, and an event's hash covers its text: a new field goes before
# `observaciones`, and none changes its place.
_PLAIN = tuple(field.name for field in fields(Answer) if field.name not in ("observaciones", "amounts"))
_AMOUNT_OF = {f"amount_{field.name}": field.name for field in fields(Amounts)}


def write_answer(answer: Answer) -> dict[str, Any]:
    """Write an answer as plain JSON, empty fields left out and amounts as texts beside the others."""
    # What is empty is left out, so that a field which is new one day changes no event of before.
    plain: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(answer, name))}
    if answer.observaciones:
        plain["observaciones"] = list(answer.observaciones)
    for key, name in _AMOUNT_OF.items():
        if (amount := getattr(answer.amounts, name)) is not None:
            plain[key] = str(amount)
    return plain


def read_answer(plain: Mapping[str, Any]) -> Answer:
    """Read the answer that `write_answer` wrote."""
    if not plain:
        return NO_ANSWER
    # As text, so that a stamp's amounts come back to the cent: JSON numbers are floats to many readers.
    amounts = {_AMOUNT_OF[key]: Decimal(value) for key, value in plain.items() if key in _AMOUNT_OF}
    rest = {key: value for key, value in plain.items() if key not in _AMOUNT_OF}
    return Answer(**{**rest, "observaciones": tuple(rest.get("observaciones", ()))}, amounts=Amounts(**amounts))


def write_cancellation(cancellation: Cancellation | None) -> dict[str, Any]:
    """Write a cancellation as plain JSON, empty fields left out; nothing at all for None."""
    if cancellation is None:
        return {}
    plain = {name: value for name, value in _fields(cancellation).items() if value}
    if cancellation.memo is not None:
        plain["memo"] = write_memo(cancellation.memo)
    return plain | {"step": cancellation.step.value}


def read_cancellation(plain: Mapping[str, Any]) -> Cancellation | None:
    """Read the cancellation that `write_cancellation` wrote."""
    if not plain:
        return None
    memo = CreditMemo(**plain["memo"]) if "memo" in plain else None
    return Cancellation(**{**plain, "step": CancelStep(plain["step"]), "memo": memo})


def write_memo(memo: CreditMemo) -> dict[str, str]:
    """Write a credit note as plain JSON, empty fields left out."""
    return {name: value for name, value in _fields(memo).items() if value}


def _fields(value: Cancellation | CreditMemo) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}
