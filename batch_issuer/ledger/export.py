"""The ledger for other programs: one flat row a document, and a consistent copy of the whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from batch_issuer.files import put
from batch_issuer.ledger import schema
from batch_issuer.messages import N_
from batch_issuer.model.money import exact
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Note, Record, SignOff


# The order of the keys is that of the columns, which other programs count on.
def export_row(record: Record, notes: Iterable[Note] = ()) -> dict[str, Any]:
    """Return one document as `ledger export` gives it; amounts are texts, empty where the provider did not say."""
    answer, amounts, cancellation = record.answer, record.answer.amounts, record.cancellation
    memo = cancellation.memo if cancellation else None
    return {
        **_of(record, "company", "external_ref", "doc_type"),
        "state": record.state.value,
        **_of(record, "reason", "fingerprint"),
        **_of(answer, "document_id", "control_number", "generation_code", "reception_stamp"),
        "amount_taxable": _text(amounts.taxable),
        "amount_vat": _text(amounts.vat),
        "amount_gross": _text(amounts.gross),
        "amount_retention": _text(amounts.retention),
        "amount_total": _text(amounts.total),
        "expected_gross": str(record.expected_gross),
        "expected_retention": _text(record.expected_retention),
        **_of(record, "adjusts", "customer_id"),
        "is_duplicate": answer.is_duplicate,
        "unexpected_duplicate": record.unexpected_duplicate,
        **_of(answer, "dte_state", "dte_message", "codigo_msg"),
        "observaciones": list(answer.observaciones),
        "detail": answer.detail,
        **_of(record, "attempts", "first_sent_at", "settled_at", "updated_at"),
        "cancellation": cancellation.step.value if cancellation else "",
        "cancellation_stamp": cancellation.stamp if cancellation else "",
        "credit_memo_id": memo.document_id if memo else "",
        "credit_memo_control_number": memo.control_number if memo else "",
        **_of(record, "run", "date", "branch", "customer", "payment_method", "lines"),
        "notes": [_of(note, "at", "by", "reason") for note in notes],
        "source": {"file": record.source.file, "sheet": record.source.sheet, "rows": list(record.source.rows)},
    }


def _of(one: object, *names: str) -> dict[str, Any]:
    """Return these fields of a value under their own names."""
    return {name: getattr(one, name) for name in names}


def sign_off_row(company: str, one: SignOff) -> dict[str, Any]:
    """Return a sign-off as `ledger export --json` gives it."""
    return {
        "company": company,
        "first": one.first,
        "last": one.last,
        "role": one.role,
        "by": one.by,
        "at": one.at,
        "documents": one.documents,
        "gross": _text(one.gross),
        "needs_person": one.needs_person,
        "event": one.after,
        "hash": one.hash,
        "content": one.content,
    }


def _text(amount: Decimal | None) -> str:
    """Return what the ledger holds, exactly: two decimals, and more where the provider gave more."""
    return "" if amount is None else exact(amount)


def backup(path: Path, copy: Path) -> int:
    """Make a consistent copy of a ledger, even while a run writes it; return its size in bytes.

    Raises `CannotStart` where the copy's name is taken, where the ledger is damaged, and where it cannot be written.
    """
    if schema.exists(copy):
        raise _exists_already(copy)
    try:
        with schema.draft(copy) as file:
            draft = Path(file.name)
            if damage := copy_pages(path, draft):
                raise schema.damaged(path, damage)
            size = draft.stat().st_size
            put(file, copy, new=True)
    except FileExistsError as error:
        raise _exists_already(copy) from error
    except (OSError, sqlite3.Error) as error:
        raise CannotStart(
            N_("The copy {path} could not be made: {reason}."),
            repair=N_("Choose a folder that you may write to and that has space."),
            path=copy,
            reason=schema.reason_of(error),
        ) from error
    return size


def copy_pages(path: Path, draft: Path) -> str:
    """Copy a ledger page by page; return what is wrong with the copy, for a damaged ledger is no backup."""
    source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=schema.BUSY_SECONDS)
    target = sqlite3.connect(draft)
    try:
        source.backup(target, pages=-1)
        found = str(target.execute("PRAGMA integrity_check(1)").fetchone()[0])
    finally:
        target.close()
        source.close()
    return "" if found == "ok" else found


def _exists_already(copy: Path) -> CannotStart:
    return CannotStart(
        N_("{path} exists already."), repair=N_("Give the copy another name; nothing was overwritten."), path=copy
    )
