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
    """Read the open items of a report's JSON. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
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
    """Return the reconciliation with what became of `earlier` items, and which are new since.

    `elsewhere` has what the ledger knows of the earlier documents. `report` is the fingerprint of the earlier figures.
    """
    now, before = _by_reference(made.open_items), _by_reference(earlier)
    here = {record.external_ref for record in (*made.records, *made.only_in_ledger)}
    # This report says nothing of them, but the ledger does: they are as open as they were.
    waiting = {ref: record for ref, record in elsewhere.items() if ref not in here and waits_for_person(record)}
    known = here | elsewhere.keys()
    resolved, still, gone = [], [], []
    for reference, item in before.items():
        if reference in now:
            still.append(now[reference])
        elif reference in waiting:
            still.append(replace(item, detail=waiting[reference].state.value))
        # A problem of a file or row is mended where it is not found again.
        elif reference in known or item.is_of_no_document:
            resolved.append(item)
        else:
            gone.append(item)
    new = tuple(item for reference, item in now.items() if reference not in before)
    became = Since(
        report=report, as_of=as_of, resolved=tuple(resolved), still_open=tuple(still), gone=tuple(gone), new=new
    )
    return replace(made, since=became)


def _by_reference(items: Iterable[OpenItem]) -> dict[str, OpenItem]:
    """Return the most urgent item of each document: they come in that order."""
    found: dict[str, OpenItem] = {}
    for item in items:
        found.setdefault(item.external_ref, item)
    return found
