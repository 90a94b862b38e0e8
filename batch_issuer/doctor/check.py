"""One line of the diagnosis, and how each kind of line is made; what is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from batch_issuer.messages import Messages
from batch_issuer.model.problems import Stop
from batch_issuer.settings import Company, Settings


class Level(StrEnum):
    """How bad a line is; a warning changes no exit code."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the diagnosis: catalog texts, with what fills their places."""

    name: str
    level: Level
    message: str
    repair: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    stops: bool = False
    """Nothing could be issued like this: a run would end before it began."""

    def text(self, messages: Messages) -> str:
        """Return the line, as the reader's language has it."""
        return messages.text(self.message, **self.parameters)

    def advice(self, messages: Messages) -> str:
        """Return what to do about it; empty where there is nothing to do."""
        return messages.text(self.repair, **self.parameters) if self.repair else ""

    def as_json(self, messages: Messages) -> dict[str, Any]:
        """Return the line as `--json` has it."""
        return {
            "check": self.name,
            "level": self.level.value,
            "message": self.text(messages),
            "repair": self.advice(messages),
            "stops": self.stops,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a run would begin with, to be looked at."""

    settings: Settings
    company: Company
    ledger: Path
    base_url: str
    base_url_from: str
    """`option`, `env` or `default`."""


def stopped(name: str, stop: Stop) -> Check:
    """Make a line of what ends a run before it begins."""
    return Check(
        name=name, level=Level.PROBLEM, message=stop.message, repair=stop.repair, parameters=stop.parameters, stops=True
    )


def ok(name: str, message: str, /, **parameters: object) -> Check:
    """Make a line of what is as it should be."""
    return Check(name=name, level=Level.OK, message=message, parameters=parameters)


def warn(name: str, message: str, repair: str, /, **parameters: object) -> Check:
    """Make a line of what hinders no run, and should be known."""
    return Check(name=name, level=Level.WARNING, message=message, repair=repair, parameters=parameters)


def problem(name: str, message: str, repair: str, /, **parameters: object) -> Check:
    """Make a line of what needs a person; a run could start all the same."""
    return Check(name=name, level=Level.PROBLEM, message=message, repair=repair, parameters=parameters)


def stops(name: str, message: str, repair: str, /, **parameters: object) -> Check:
    """Make a line of what no run could start with."""
    return Check(name=name, level=Level.PROBLEM, message=message, repair=repair, parameters=parameters, stops=True)
