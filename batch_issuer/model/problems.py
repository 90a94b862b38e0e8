"""Problems of the data, as values, and the exceptions that stop a run. Each kind stands with the rule that finds it.

A problem says where it is, quotes the value, and says what to do. Exceptions carry their exit code; one place,
the command line, turns them into a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from batch_issuer.messages import N_, Messages


class Severity(StrEnum):
    BLOCKS = "blocks"
    """The document is not sent."""
    WARNS = "warns"
    """The document is sent; the report tells."""


class Place(NamedTuple):
    """A cell, a row, a document or a file: what is empty or None is not known or does not apply."""

    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    """The column's letter."""
    heading: str = ""

    def text(self, messages: Messages) -> str:
        """For example `ventas.xlsx · Ventas · row 14 · column D «Cantidad»`."""
        parts = [part for part in (self.file, self.sheet) if part]
        if self.row is not None:
            parts.append(messages.text(N_("row {row}"), row=self.row))
        if self.column:
            parts.append(messages.text(N_("column {letter} «{heading}»"), letter=self.column, heading=self.heading))
        return " · ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """An entry of the catalog: the texts of one problem code, in English as the key of the translations."""

    code: str
    message: str
    repair: str
    severity: Severity = Severity.BLOCKS


_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong in the data. `parameters` fill the kind's texts; `value` is the cell as it stands."""

    kind: Kind
    place: Place
    value: str = ""
    external_ref: str = ""
    field: str = ""
    parameters: Mapping[str, str] = dataclass_field(default_factory=lambda: _EMPTY)

    @property
    def code(self) -> str:
        return self.kind.code

    @property
    def blocks(self) -> bool:
        return self.kind.severity is Severity.BLOCKS

    def message(self, messages: Messages) -> str:
        return _sentence(messages, self.kind.message, self.value, tuple(self.parameters.items()))

    def repair(self, messages: Messages) -> str:
        return _sentence(messages, self.kind.repair, self.value, tuple(self.parameters.items()))

    def as_json(self, messages: Messages) -> dict[str, Any]:
        """One entry of `problems` in `--json`."""
        return {
            "code": self.code,
            "severity": self.kind.severity.value,
            "external_ref": self.external_ref,
            "file": self.place.file,
            "sheet": self.place.sheet,
            "row": self.place.row,
            "column": self.place.column,
            "heading": self.place.heading,
            "field": self.field,
            "value": self.value,
            "message": self.message(messages),
            "repair": self.repair(messages),
        }


@lru_cache(maxsize=8192)
def _sentence(messages: Messages, text: str, value: str, parameters: tuple[tuple[str, str], ...]) -> str:
    """A problem's text. Where one cause holds thousands of rows back, most sentences are the same."""
    return messages.text(text, value=_short(value), **dict(parameters))


def _short(value: str, limit: int = 80) -> str:
    return value if len(value) <= limit else value[: limit - 1] + "…"


class Stop(Exception):  # noqa: N818 - it is not always an error: an interruption stops a run too
    """A run ends here. `message` and `repair` are catalog texts."""

    exit_code = 3

    def __init__(self, message: str, /, *, repair: str = "", **parameters: object) -> None:
        super().__init__(message)
        self.message = message
        self.repair = repair
        self.parameters = parameters
        self.also: tuple[Stop, ...] = ()
        """What else has to be answered, so that it is asked at once."""

    def text(self, messages: Messages) -> str:
        """The sentence, and what to do next."""
        parts = [messages.text(self.message, **self.parameters)]
        if self.repair:
            parts.append(messages.text(self.repair, **self.parameters))
        return "\n\n".join(["\n".join(parts), *(other.text(messages) for other in self.also)])

    def __str__(self) -> str:
        return self.text(Messages("en"))


class CannotStart(Stop):
    """Usage, configuration, unreadable file, ledger damaged or held: nothing was sent. Exit 2."""

    exit_code = 2


Refusal = TypeVar("Refusal", bound=Stop)


def together(questions: Sequence[Refusal]) -> Refusal:
    """Several refusals, at least one, as one that says all."""
    first, *others = questions
    first.also = tuple(others)
    return first


def raise_together(questions: Sequence[Stop]) -> None:
    """Raise several refusals as one, if there are any."""
    if questions:
        raise together(questions)


class StoppedMidway(Stop):
    """Key refused, wrong environment, outage, quota wait too long, breaker: the ledger is good, run again. Exit 3."""

    exit_code = 3


class Unreachable(StoppedMidway):
    """Nothing answers at the provider's address."""


class Interrupted(Stop):
    """SIGINT (130) or SIGTERM (143); answers in flight were awaited and recorded."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(N_("Interrupted. The answers on their way were awaited and recorded; run again to go on."))
        self.exit_code = exit_code
