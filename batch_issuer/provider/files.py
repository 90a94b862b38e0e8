"""A document's files as the provider serves them: whether one is whole, and what the signed one says.

An answer of 200 proves nothing about its content: a file is believed only when its content type does not contradict
it, it begins as its kind does, and it has its end.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from batch_issuer.model.documents import Amounts
from batch_issuer.provider.wire import read_amount

TICKET, INVOICE, JSON = "ticket", "invoice", "json"
KINDS = (TICKET, INVOICE, JSON)
"""`type=` of `GET /file` (provider.md 14.1)."""

_FOREIGN_TYPES: Mapping[str, tuple[str, ...]] = {
    "pdf": ("text/", "image/", "application/json", "application/xml", "application/xhtml"),
    "json": ("text/html", "image/", "application/pdf", "application/xhtml"),
}
"""Content types that contradict a kind; every other is let pass, as none is documented."""
_SIGNATURE_BYTES: Mapping[str, tuple[int, ...]] = {
    "HS256": (32,), "HS384": (48,), "HS512": (64,), "ES256": (64,), "ES384": (96,), "ES512": (132,), "EDDSA": (64, 114),
}  # fmt: skip
_RSA_BYTES = (128, 256, 384, 512)
"""Lengths of signatures, by the algorithm that the header names."""
_DEEPEST = 8
"""Objects inside each other in which a document is looked for."""


class Flaw(StrEnum):
    """Why what came is not the file."""

    EMPTY = "empty"
    WRONG_TYPE = "wrong-type"
    NO_PDF = "no-pdf"
    CUT_OFF = "cut-off"
    NO_DOCUMENT = "no-document"
    OTHER_DOCUMENT = "other-document"


class Signature(StrEnum):
    """What can be said of a signature without the ministry's keys."""

    USUAL = "usual"
    UNUSUAL = "unusual"
    """Of a length that its algorithm does not have, or of no known algorithm."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDocument:
    """What a signed document says about itself; empty or None where it does not."""

    doc_type: str = ""
    control_number: str = ""
    generation_code: str = ""
    environment: str = ""
    """`identificacion.ambiente`: "00" test, "01" production."""
    stamp: str = ""
    signature: Signature
    amounts: Amounts = Amounts()


_PDF_OBJECT = re.compile(rb"\d\s+obj\b")
"""Where a PDF's objects begin its end must come too; a test provider's may be a first line and nothing else."""


def extension_of(kind: str) -> str:
    """Return the ending of a file's name, with its point."""
    return ".json" if kind == JSON else ".pdf"


def find_flaw(kind: str, content: bytes, media_type: str) -> Flaw | None:
    """Say what is wrong with a file's content; None for a whole file of its kind."""
    if not content.strip():
        return Flaw.EMPTY
    form = "json" if kind == JSON else "pdf"
    if media_type.strip().lower().startswith(_FOREIGN_TYPES[form]):
        return Flaw.WRONG_TYPE
    if form == "json":
        return None if read_signed(content) is not None else Flaw.NO_DOCUMENT
    if content.lstrip()[:5] != b"%PDF-":
        return Flaw.NO_PDF
    return Flaw.CUT_OFF if _PDF_OBJECT.search(content) and b"%%EOF" not in content[-1024:] else None


def read_signed(content: bytes) -> SignedDocument | None:
    """Read what a signed document says: a bare JWS, or JSON that is or holds one; None where it is cut off or none.

    The payload must be whole; the signature is only looked at, for it is not known how the provider serves it.
    """
    text = content.decode("utf-8", "replace").strip().strip('"')
    if (found := _of_jws(text)) is not None:
        return found
    try:
        plain = json.loads(content, parse_float=Decimal)
    except (ValueError, InvalidOperation, RecursionError):
        return None
    # What is signed counts, not the copy beside it; only the stamp may stand outside.
    inside = next((found for text in _texts(plain, _DEEPEST) if (found := _of_jws(text)) is not None), None)
    outside = _identified(plain, _DEEPEST)
    if inside is not None:
        return replace(inside, stamp=inside.stamp or (_stamp(plain) if isinstance(plain, dict) else ""))
    return None if outside is None else _signed(outside, plain, Signature.NONE)


def _of_jws(text: str) -> SignedDocument | None:
    """Read what the payload of a compact JWS says; None for what is none, or is cut off before its signature."""
    parts = text.split(".") if len(text) > 20 else ()
    if len(parts) != 3 or not all(parts) or any(one.isspace() for one in text):
        return None
    payload = _json_of(parts[1])
    found = _identified(payload, _DEEPEST)
    return None if found is None else _signed(found, payload, _signature(*parts))


def _signature(header: str, _payload: str, signature: str) -> Signature:
    plain = _json_of(header)
    algorithm = str(plain.get("alg", "")).upper() if isinstance(plain, dict) else ""
    usual = _RSA_BYTES if algorithm[:2] in ("RS", "PS") else _SIGNATURE_BYTES.get(algorithm, ())
    try:
        return Signature.USUAL if len(_decoded(signature)) in usual else Signature.UNUSUAL
    except ValueError:
        return Signature.UNUSUAL


def _json_of(part: str) -> Any:
    try:
        return json.loads(_decoded(part), parse_float=Decimal)
    except (ValueError, InvalidOperation, RecursionError):
        return None


def _decoded(part: str) -> bytes:
    """Decode Base64 of either alphabet, with its padding or without. Raises `ValueError`."""
    plain = part.rstrip("=").replace("+", "-").replace("/", "_")
    return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


def _identified(plain: object, depth: int) -> Mapping[str, Any] | None:
    """Find the first object with an `identificacion`."""
    match plain:
        case dict() if isinstance(plain.get("identificacion"), dict):
            return plain
        case dict() if depth:
            return next((found for part in plain.values() if (found := _identified(part, depth - 1))), None)
        case list() if depth:
            return next((found for part in plain if (found := _identified(part, depth - 1))), None)
        case _:
            return None


def _texts(plain: object, depth: int) -> Iterator[str]:
    match plain:
        case str():
            yield plain
        case dict() if depth:
            for part in plain.values():
                yield from _texts(part, depth - 1)
        case list() if depth:
            for part in plain:
                yield from _texts(part, depth - 1)


def _signed(document: Mapping[str, Any], whole: object, signature: Signature) -> SignedDocument:
    identification = document["identificacion"]
    doc_type = _text(identification.get("tipoDte"))
    return SignedDocument(
        doc_type=doc_type,
        control_number=_text(identification.get("numeroControl")),
        generation_code=_text(identification.get("codigoGeneracion")),
        environment=_text(identification.get("ambiente")),
        stamp=_stamp(document) or (_stamp(whole) if isinstance(whole, dict) else ""),
        signature=signature,
        amounts=_amounts(doc_type, document.get("resumen")),
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _stamp(plain: Mapping[str, Any]) -> str:
    """Find `selloRecibido`, as the ministry calls it, wherever it was put."""
    for name, value in plain.items():
        if isinstance(value, str) and re.match(r"sello", name, re.IGNORECASE):
            return value.strip()
        if isinstance(value, dict) and name != "resumen" and (found := _stamp(value)):
            return found
    return ""


def _amounts(doc_type: str, summary: object) -> Amounts:
    """Read the summary's fields that are the provider's amounts (structures fe-f, fe-ccf, fe-nc, fe-fex, fe-fse)."""
    if not isinstance(summary, dict):
        return Amounts()
    if doc_type == "14":
        return Amounts(gross=read_amount(summary, "totalCompra"), total=read_amount(summary, "totalPagar"))
    withheld = read_amount(summary, "ivaRete1")
    taxes = summary.get("tributos")
    taxes = taxes if isinstance(taxes, list) else []
    # A type 01 says its VAT itself; the others list it among the taxes, as tax 20 of CAT-015.
    vat = next(
        (read_amount(tax, "valor") for tax in taxes if isinstance(tax, dict) and tax.get("codigo") == "20"), None
    )
    return Amounts(
        taxable=None if doc_type == "01" else read_amount(summary, "totalGravada"),
        vat=read_amount(summary, "totalIva") if doc_type == "01" else vat,
        gross=read_amount(summary, "montoTotalOperacion"),
        retention=read_amount(summary, "ivaRete") if withheld is None else withheld,
        total=read_amount(summary, "totalPagar"),
    )
