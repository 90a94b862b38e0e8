"""Contingency over time: what was open, came, went and is open; and how old what is open has become."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from batch_issuer.model.money import total_of
from batch_issuer.model.records import Record, Wait
from batch_issuer.model.states import State
from batch_issuer.reconcile.values import ContingencyBridge, Tally

_BUCKETS = (("<1h", 1), ("<24h", 24), ("24-72h", 72), (">72h", 168))
_OLDEST = ">7d"
_END = "9999"

Ages = tuple[tuple[str, int, Decimal], ...]


def contingency_bridge(waits: Sequence[Wait], since: str, until: str) -> ContingencyBridge:
    """The waits of a company from one moment, included, to another; empty moments do not limit."""
    end = until or _END
    opening = [one for one in waits if one.entered_at < since <= (one.left_at or _END)]
    entered = [one for one in waits if since <= one.entered_at < end]
    left = [one for one in waits if one.left_at and since <= one.left_at < end]
    closing = [one for one in waits if one.entered_at < end <= (one.left_at or _END)]
    return ContingencyBridge(
        since=since,
        until=until,
        opening=_tally(opening),
        entered=_tally(entered),
        settled={
            state: _tally(one for one in left if one.left_to is state)
            for state in State
            if any(one.left_to is state for one in left)
        },
        closing=_tally(closing),
    )


def _tally(waits: Iterable[Wait]) -> Tally:
    amounts = [one.gross for one in waits]
    return Tally(documents=len(amounts), gross=total_of(amounts))


def contingency_ages(records: Iterable[Record], as_of: str) -> Ages:
    """Documents in contingency by age, from when the provider numbered them."""
    return _ages(
        (
            (record.numbered_at or record.first_sent_at or record.updated_at, record.expected_gross)
            for record in records
            if record.state is State.CONTINGENCY
        ),
        as_of,
    )


def rejection_ages(records: Iterable[Record], as_of: str) -> Ages:
    """Rejected documents by age, from when they were refused."""
    return _ages(
        (
            (record.settled_at or record.updated_at, record.expected_gross)
            for record in records
            if record.state is State.REJECTED
        ),
        as_of,
    )


def _ages(waiting: Iterable[tuple[str, Decimal]], as_of: str) -> Ages:
    amounts: dict[str, list[Decimal]] = {name: [] for name in (*(name for name, _ in _BUCKETS), _OLDEST)}
    for since, gross in waiting:
        amounts[age_bucket(since, as_of)].append(gross)
    return tuple((name, len(some), total_of(some)) for name, some in amounts.items())


def age_bucket(since: str, as_of: str) -> str:
    """Which bucket of `Reconciliation.ages` a document falls into that has waited since then."""
    hours = (dt.datetime.fromisoformat(as_of) - dt.datetime.fromisoformat(since)).total_seconds() / 3600 if since else 0
    return next((name for name, limit in _BUCKETS if hours < limit), _OLDEST)
