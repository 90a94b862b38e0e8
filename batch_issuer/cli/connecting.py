"""What sending commands share before they send: where to, as whom, and who watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from batch_issuer.cli.screen.output import is_terminal
from batch_issuer.cli.screen.progress import TerminalWatcher
from batch_issuer.cli.session import Session
from batch_issuer.provider.client import DEFAULT_BASE_URL, check_base_url
from batch_issuer.send.courier import PATIENCE
from batch_issuer.send.run import Connection
from batch_issuer.settings import read_key


def connect(session: Session, options: Mapping[str, Any]) -> Connection:
    """Return where to send and as whom. Raises `CannotStart` for a bad address or a missing key."""
    base_url = check_base_url(options["base_url"] or DEFAULT_BASE_URL)
    key = read_key(session.company, session.settings.path)
    # `get`: only `issue` and `retry` have `--stop-after`, `--canary` and `--expect-environment`.
    patience = PATIENCE
    if options.get("stop_after"):
        patience = replace(patience, stop_after=options["stop_after"])
    return Connection(
        base_url=base_url,
        key=key,
        concurrency=options["concurrency"] or session.settings.issue.concurrency,
        reserve=session.settings.issue.reserve if options["reserve"] is None else options["reserve"],
        max_wait=float("inf") if options["max_wait"] is None else options["max_wait"],
        patience=patience,
        new_key=options["new_key"],
        expect_environment=options.get("expect_environment") or session.company.expect_environment,
        canary=options.get("canary") or 0,
        accepted_settings=session.accepted,
    )


def watcher(session: Session) -> TerminalWatcher:
    """Show progress on stderr, over itself where that is a terminal."""
    return TerminalWatcher(session.output.messages, over_itself=is_terminal())
