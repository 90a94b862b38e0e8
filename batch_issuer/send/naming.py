"""Documents by whatever a person or a credit note calls them: our reference, or what the provider gave them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Record


def find_named(ledger: Ledger, company: str, names: Sequence[str]) -> tuple[list[Record], list[str]]:
    """Find documents by reference, or by what the provider calls them; and the names that name none, or several.

    A name that the shell or a person wrote otherwise is not guessed at.
    """
    known = ledger.records(company, names)
    found: dict[str, Record] = {}
    unknown = []
    for name in names:
        # Our own reference first: a control number of one document may be the reference of another.
        by_id = [known[name]] if name in known else ledger.named(company, name)
        if len(by_id) == 1:
            found[by_id[0].external_ref] = by_id[0]
        else:
            unknown.append(name)
    return list(found.values()), unknown


def named(ledger: Ledger, company: str, names: Sequence[str]) -> list[Record]:
    """Find documents as `find_named` does, where all must be known. Raises `CannotStart`."""
    found, unknown = find_named(ledger, company, names)
    if unknown:
        raise not_known(ledger.path, unknown)
    return found


def not_known(path: Path, names: Sequence[str]) -> CannotStart:
    """Say that the ledger does not have these references, ten of them by name."""
    return CannotStart(
        N_("The ledger {path} does not know: {references}."),
        repair=N_(
            "References are written exactly as in the file; `batch-issuer ledger export` lists them all. "
            "Nothing was sent."
        ),
        path=path,
        references=", ".join(f"«{name}»" for name in names[:10]) + (" …" if len(names) > 10 else ""),
    )
