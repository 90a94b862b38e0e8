"""Makes a ledger of so many stamped documents, a day of them to a run, through the ledger's own door."""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.model.records import Kind, NewEvent
from benchmarks.processes import KEY

COMPANY = "default"
_AT_ONCE = 2_000


def make(path: Path, documents: int, a_day: int) -> None:
    """Write the ledger, whose last day is yesterday, under another name, and give it its own when it is whole."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    today = dt.datetime.combine(dt.datetime.now(dt.UTC).date(), dt.time(18), dt.UTC)
    first = today - dt.timedelta(days=-(-documents // a_day))
    for day, start in enumerate(range(0, documents, a_day)):
        moment = first + dt.timedelta(days=day)
        with open_to_write(draft, COMPANY, create=True, clock=partial(_itself, moment)) as ledger:
            run = ledger.begin_run(COMPANY, "issue").run
            numbers = range(start, min(start + a_day, documents))
            references = [f"D{number:07}" for number in numbers]
            ledger.append(COMPANY, run, [_key_seen(), NewEvent(kind=Kind.RUN_READ, body=_summary(references))])
            for some in (numbers[at : at + _AT_ONCE] for at in range(0, len(numbers), _AT_ONCE)):
                ledger.append(COMPANY, run, [planned(number, moment) for number in some])
                ledger.append(COMPANY, run, [_sending(number) for number in some])
                ledger.append(COMPANY, run, [_answered(number) for number in some])
            ending = {"exit_code": None, "posts": len(numbers), "asks": 0, "seconds": 1.0, "stopped": ""}
            ledger.append(COMPANY, run, [NewEvent(kind=Kind.RUN_ENDED, body=ending)])
    draft.rename(path)


def _key_seen() -> NewEvent:
    """The key of the benchmarks is the company's: it is not looked at as a new one."""
    digest = hashlib.sha256(f"salt{KEY}".encode()).hexdigest()
    return NewEvent(kind=Kind.KEY_SEEN, body={"salt": "salt", "digest": digest, "environment": ""})


def _itself(moment: dt.datetime) -> dt.datetime:
    return moment


def _summary(references: Sequence[str]) -> dict[str, Any]:
    source = {
        "file": "ventas.csv", "sheet": "", "sha256": "0" * 64, "rows": 5 * len(references),
        "documents": len(references), "control_total": None, "read_total": "0.00", "notes": "",
    }  # fmt: skip
    return {
        "sources": [source], "rows": 5 * len(references), "documents": len(references), "refs": list(references),
        "left_out": {"documents": 0, "gross": "0.00"}, "held_back": [], "notes": [], "conflicts": [],
    }  # fmt: skip


def _body(number: int) -> bytes:
    lines = [
        {"description": f"Taza de barro {(number + at) % 97}", "quantity": 1 + at, "unit_price": 1.25}
        for at in range(5)
    ]
    return json.dumps({"external_ref": f"D{number:07}", "doc_type": "01", "lines": lines}).encode()


def _digest(number: int) -> str:
    return hashlib.sha256(_body(number)).hexdigest()


def planned(number: int, moment: dt.datetime) -> NewEvent:
    body = {
        "doc_type": "01", "fingerprint": _digest(number), "likeness": _digest(number)[:32], "expected_gross": "18.75",
        "body": _body(number).decode(), "file": "ventas.csv", "sheet": "",
        "rows": list(range(5 * number + 2, 5 * number + 7)), "date": f"{moment:%Y-%m-%d}", "branch": "San Salvador",
        "customer": "María Hernández" if number % 5 == 0 else "", "payment_method": "01", "lines": 5,
    }  # fmt: skip
    return NewEvent(kind=Kind.PLANNED, external_ref=f"D{number:07}", body=body)


def _sending(number: int) -> NewEvent:
    return NewEvent(kind=Kind.SENDING, external_ref=f"D{number:07}", body={"fingerprint": _digest(number)})


def _answered(number: int) -> NewEvent:
    digest = _digest(number)
    answer = {
        "http_status": 200, "document_id": digest[:24], "control_number": f"DTE-01-M001P001-{number:015}",
        "generation_code": f"{digest[:8]}-{digest[8:12]}-4A3B-8C9D-{digest[12:24]}".upper(),
        "reception_stamp": digest[:40].upper(), "dte_state": "PROCESADO", "dte_message": "RECIBIDO",
        "codigo_msg": "001", "amount_taxable": "16.59", "amount_vat": "2.16", "amount_gross": "18.75",
        "amount_retention": "0.00", "amount_total": "18.75",
    }  # fmt: skip
    return NewEvent(kind=Kind.ANSWERED, external_ref=f"D{number:07}", body={"state": "stamped", "answer": answer})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--documents", type=int, required=True)
    parser.add_argument("--day", type=int, default=2_000, help="documents a day")
    chosen = parser.parse_args()
    if not chosen.path.exists():
        make(chosen.path, chosen.documents, chosen.day)


if __name__ == "__main__":
    main()
