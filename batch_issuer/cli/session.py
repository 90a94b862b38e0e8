"""What commands share: settings, company, batch, connection, reports; each command reads like its own story."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from batch_issuer import settings as settings_room
from batch_issuer.cli.output import Output, is_terminal
from batch_issuer.cli.progress import TerminalWatcher, parse_duration
from batch_issuer.issuing import Connection, Outcome
from batch_issuer.messages import N_, choose_language
from batch_issuer.preparing import Prepared, prepare
from batch_issuer.provider.client import DEFAULT_BASE_URL, check_base_url
from batch_issuer.reading import read
from batch_issuer.reconciliation import EL_SALVADOR
from batch_issuer.sending import PATIENCE
from batch_issuer.settings import Company, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The settings of one call, with its options over them."""

    output: Output
    settings: Settings
    company: Company
    ledger: Path

    def watcher(self) -> TerminalWatcher:
        return TerminalWatcher(self.output.messages, over_itself=is_terminal())


def open_session(output: Output, options: Mapping[str, Any], files: Sequence[str] = ()) -> Session:
    """Read the settings and put the options over them. Raises `CannotStart`."""
    settings = settings_room.load(settings_room.find(options["config"], files))
    source = {name: options[name] for name in ("decimal", "dates", "sheet") if options.get(name)}
    if source:
        settings = replace(settings, source=replace(settings.source, **source))
    company = settings.company(options["company"])
    if company.language and "--lang" not in " ".join(sys.argv):
        output.messages = replace(output.messages, language=choose_language(configured=company.language))
    return Session(output=output, settings=settings, company=company, ledger=Path(options["ledger"]))


def read_files(session: Session, files: Sequence[str]) -> Prepared:
    """The files' documents, checked and encoded."""
    batch = read(files, session.settings, stdin=sys.stdin.buffer)
    return prepare(batch, session.settings, today())


def today() -> dt.date:
    """The day in El Salvador."""
    return dt.datetime.now(EL_SALVADOR).date()


def connect(session: Session, options: Mapping[str, Any]) -> Connection:
    """Where to send and as whom. Raises `CannotStart` for a bad address or a missing key."""
    base_url = check_base_url(options["base_url"] or DEFAULT_BASE_URL)
    key = settings_room.read_key(session.company, session.settings.path)
    patience = PATIENCE
    if options.get("stop_after"):
        patience = replace(patience, stop_after=options["stop_after"])
    return Connection(
        base_url=base_url,
        key=key,
        concurrency=options["concurrency"] or session.settings.issue.concurrency,
        reserve=session.settings.issue.reserve if options["reserve"] is None else options["reserve"],
        max_wait=_max_wait(options["max_wait"]),
        patience=patience,
        new_key=options["new_key"],
        expect_environment=options.get("expect_environment") or session.company.expect_environment,
        canary=options.get("canary") or 0,
    )


def _max_wait(text: str | None) -> float:
    if text is None:
        return float("inf")
    try:
        return parse_duration(text)
    except ValueError:
        raise click.BadParameter(f"«{text}»: 90s, 10m, 2h", param_hint="--max-wait") from None


def amount(text: str | None, option: str) -> Decimal | None:
    """An amount given as an option, point as decimal mark, commas allowed between thousands."""
    if text is None:
        return None
    try:
        found = Decimal(text.replace(",", "").removeprefix("$"))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise click.BadParameter(f"«{text}»: 1234.56", param_hint=option)
    return found


def run_json(outcome: Outcome, exit_code: int) -> dict[str, Any]:
    """The parts of `--json` that every sending command shares."""
    return {
        "run": outcome.run.run,
        "sent": outcome.progress.posts,
        "asked": outcome.progress.asks,
        "seconds": outcome.seconds,
        "exit_code": exit_code,
    }


def say_stop(session: Session, outcome: Outcome) -> None:
    """Why a run ended early, if it did."""
    if outcome.stopped is not None:
        click.echo(outcome.stopped.text(session.output.messages), err=True)


__all__ = ["N_"]
