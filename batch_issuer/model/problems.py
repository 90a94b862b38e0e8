"""Problems of the data, as values, and the exceptions that stop a run.

A problem says where it is, quotes the value, and says what to do. What kinds of problems there are stands with whatever
finds them: in `rules/`, `reading/kinds` and, of the whole batch, `rules/across`. Exceptions carry their exit code; one
place, the command line, turns them into a sentence.

    Stop                  a run ends here                                            exit 3
    ├── CannotStart       usage, configuration, files, ledger: nothing was sent     exit 2
    ├── StoppedMidway     the provider or the disk ended it: run again               exit 3
    │   └── Unreachable   nothing answers at the provider's address
    └── Interrupted       a signal                                                   exit 130 or 143
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
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
        """Say where it is, for example `ventas.xlsx · Ventas · row 14 · column D «Cantidad»`."""
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
_NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the data: one class from the cell in which it is found to the report that tells it.

    Whoever finds it knows the kind, and the texts that fill the kind's sentences. Where it stands is added by whoever
    knows that: rules their field and row (`on`), the batch the place and the document (`at`).
    """

    kind: Kind
    value: str = ""
    """The cell as it stands, to be quoted."""
    parameters: Mapping[str, str] = dataclass_field(default_factory=lambda: _EMPTY)
    """What else fills the kind's texts."""
    _: KW_ONLY
    field: str = ""
    row: int | None = None
    """The batch row, from 0; None where there is no row to point at, or only the place was ever known."""
    place: Place = _NOWHERE
    external_ref: str = ""

    def on(self, row: int | None, field: str) -> Problem:
        """Return the problem of a value as that of our field in a batch row."""
        return Problem(self.kind, self.value, self.parameters, row=row, field=field)

    def at(self, place: Place, external_ref: str) -> Problem:
        """Return the problem as it is reported: at its place in the user's files, and of its document."""
        return replace(self, place=place, external_ref=external_ref)

    @property
    def code(self) -> str:
        """The kind's code, by which other programs know it."""
        return self.kind.code

    @property
    def blocks(self) -> bool:
        """Whether the document is not sent for it."""
        return self.kind.severity is Severity.BLOCKS

    def message(self, messages: Messages) -> str:
        """Say what is wrong."""
        return _sentence(messages, self.kind.message, self.value, tuple(self.parameters.items()))

    def repair(self, messages: Messages) -> str:
        """Say what to do about it."""
        return _sentence(messages, self.kind.repair, self.value, tuple(self.parameters.items()))

    def as_json(self, messages: Messages) -> dict[str, Any]:
        """Return one entry of `problems` in `--json`."""
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
    """Fill a problem's text. Remembered: where one cause holds thousands of rows back, most sentences are the same."""
    # A cell may hold a page of text; the sentence quotes enough to find it.
    return messages.text(text, value=value if len(value) <= 80 else value[:79] + "…", **dict(parameters))


class Stop(Exception):  # noqa: N818 - it is not always an error: an interruption stops a run too
    """A run ends here. `message` and `repair` are catalog texts."""

    exit_code = 3

    def __init__(self, message: str, /, *, repair: str = "", **parameters: object) -> None:
        super().__init__(message)
        self.message = message
        self.repair = repair
        self.parameters = parameters
        # Filled by `together`: a person answers everything that is asked in one go.
        self.also: tuple[Stop, ...] = ()
        """What else has to be answered, so that it is asked at once."""

    def text(self, messages: Messages) -> str:
        """Say what stopped the run, what to do next, and what else has to be answered."""
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
    """Return several refusals, at least one, as one that says all."""
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
