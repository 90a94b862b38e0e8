"""What became of the open items of an earlier report, as its JSON file has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from batch_issuer.model.records import Record
from batch_issuer.reconcile.make import waits_for_person
from batch_issuer.reconcile.reconciliation import Reconciliation
from batch_issuer.reconcile.values import (
    Cause,
    OpenItem,
    Since,
)


def read_open_items(report: Mapping[str, Any]) -> tuple[OpenItem, ...]:
    """The open items of a report's JSON. Of anything else: `KeyError`, `TypeError`, `ValueError`."""
    return tuple(
        OpenItem(
            cause=Cause(one["cause"]),
            external_ref=str(one["external_ref"]),
            gross=Decimal(one["gross"]),
            detail=str(one["detail"]),
        )
        for one in report["open"]
    )


def since(
    made: Reconciliation,
    earlier: tuple[OpenItem, ...],
    elsewhere: Mapping[str, Record],
    *,
    as_of: str,
    report: str,
) -> Reconciliation:
    """The reconciliation with what became of `earlier` items: resolved, still open, gone from the files; and new ones.

    `elsewhere` has what the ledger knows of the earlier documents. `report` is the fingerprint of the earlier figures.
    """
    now, before = _by_reference(made.open_items), _by_reference(earlier)
    here = {record.external_ref for record in (*made.records, *made.only_in_ledger)}
    resolved, still, gone = [], [], []
    for reference, item in before.items():
        known = elsewhere.get(reference)
        if reference in now:
            still.append(now[reference])
        elif reference not in here and known is not None and waits_for_person(known):
            still.append(replace(item, detail=known.state.value))
        # A problem of a file or row is mended where it is not found again.
        elif reference in here or known is not None or item.is_of_no_document:
            resolved.append(item)
        else:
            gone.append(item)
    return replace(
        made,
        since=Since(
            report=report,
            as_of=as_of,
            resolved=tuple(resolved),
            still_open=tuple(still),
            gone=tuple(gone),
            new=tuple(item for reference, item in now.items() if reference not in before),
        ),
    )


def _by_reference(items: Iterable[OpenItem]) -> dict[str, OpenItem]:
    """Return the most urgent item of each document: they come in that order."""
    found: dict[str, OpenItem] = {}
    for item in items:
        found.setdefault(item.external_ref, item)
    return found
