"""Contingency over time: what was open, came, went and is open; and how old what is open has become."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

from batch_issuer.model.money import total_of
from batch_issuer.model.records import Record, Wait
from batch_issuer.model.states import State
from batch_issuer.reconcile.sums import tally
from batch_issuer.reconcile.values import ContingencyBridge

_BUCKETS = (("<1h", 1), ("<24h", 24), ("24-72h", 72), (">72h", 168))
_OLDEST = ">7d"
# Later than every time of the ledger: times are compared as text, and ISO years have four digits.
_END = "9999"

Ages = tuple[tuple[str, int, Decimal], ...]


def contingency_bridge(waits: Sequence[Wait], since: str, until: str) -> ContingencyBridge:
    """Count a company's waits from one moment, included, to another: open before, entered, left, open after.

    Empty moments do not limit.
    """
    end = until or _END
    stays = [(one, one.left_at or _END) for one in waits]
    opening = [one for one, left_at in stays if one.entered_at < since <= left_at]
    entered = [one for one in waits if since <= one.entered_at < end]
    left = [one for one, left_at in stays if since <= left_at < end]
    closing = [one for one, left_at in stays if one.entered_at < end <= left_at]
    return ContingencyBridge(
        since=since,
        until=until,
        opening=tally(opening),
        entered=tally(entered),
        settled={
            state: gone for state in State if (gone := tally(one for one in left if one.left_to is state)).documents
        },
        closing=tally(closing),
    )


def contingency_ages(records: Iterable[Record], as_of: str) -> Ages:
    """Return the documents in contingency by age, from when the provider numbered them."""
    return _ages(
        (
            (record.numbered_at or record.first_sent_at or record.updated_at, record.expected_gross)
            for record in records
            if record.state is State.CONTINGENCY
        ),
        as_of,
    )


def rejection_ages(records: Iterable[Record], as_of: str) -> Ages:
    """Return the rejected documents by age, from when they were refused."""
    return _ages(
        (
            (record.settled_at or record.updated_at, record.expected_gross)
            for record in records
            if record.state is State.REJECTED
        ),
        as_of,
    )


def _ages(waiting: Iterable[tuple[str, Decimal]], as_of: str) -> Ages:
    """Return every bucket, the empty ones too, with what has waited so long: (since when, amount) each."""
    amounts: dict[str, list[Decimal]] = {name: [] for name in (*(name for name, _ in _BUCKETS), _OLDEST)}
    for since, gross in waiting:
        amounts[age_bucket(since, as_of)].append(gross)
    return tuple((name, len(some), total_of(some)) for name, some in amounts.items())


def age_bucket(since: str, as_of: str) -> str:
    """Return the bucket of `Reconciliation.ages` of a document that has waited since a time; the first without one."""
    hours = (dt.datetime.fromisoformat(as_of) - dt.datetime.fromisoformat(since)).total_seconds() / 3600 if since else 0
    return next((name for name, limit in _BUCKETS if hours < limit), _OLDEST)
