"""Bodies of answers, in every shape that the options allow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from batch_issuer.sandbox import files
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.payload import Refused
from batch_issuer.sandbox.store import Record, Standing

JSON = "application/json"
HTML = "text/html; charset=utf-8"
PDF = "application/pdf"
PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Ocote</title></head><body><h1>Servicio en mantenimiento</h1></body></html>\n"
)
"""A page that stands where JSON is expected."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False)
_LATER_URL = ("invoice_url",)
_LATER_FLAGS = (
    "contingency", "rejected", "dte_success", "dte_state", "dte_message", "observaciones", "codigo_msg",
)  # fmt: skip
_MISSING: Mapping[str, tuple[str, ...]] = {"current": (), "flags": _LATER_URL, "first": _LATER_FLAGS + _LATER_URL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer before it meets the wire."""

    status: int = 200
    body: bytes = b""
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """What file addresses in answers are made of."""

    base: str
    key: str = ""
    """Appended as `&key=` when not empty."""

    def file(self, record: Record, kind: str) -> str:
        """Return the address of one file of a document."""
        suffix = f"&key={self.key}" if self.key else ""
        return f"{self.base}/file/{record.document_id}?type={kind}{suffix}"


def issued(record: Record, options: SandboxOptions, addresses: Addresses, *, duplicate: bool) -> dict[str, Any]:
    """Return the body of an issuing answer."""
    body = _flags(record, options)
    body["is_duplicate"] = duplicate
    body |= _identifiers(record) | _diagnostics(record) | _amounts(record, options) | _urls(record, addresses)
    if options.document_in_answer and record.standing is Standing.STAMPED:
        body["dte"] = files.dte(record, options)
    return shaped(body, record, options, ())


def status(
    record: Record, options: SandboxOptions, addresses: Addresses, *, include_dte: bool, adjusted: Record | None
) -> dict[str, Any]:
    """Return the body of a status answer."""
    # Whether it has `success` and `is_duplicate` is not said (provider.md 11): `status_omitted` leaves fields out.
    body = _flags(record, options)
    body["is_duplicate"] = False
    body |= {"doc_type": record.doc_type} | _identifiers(record) | _diagnostics(record)
    body |= _amounts(record, options) | _urls(record, addresses)
    if record.standing is Standing.CANCELLED:
        if options.cancelled_marker == "invalidated":
            body["invalidated"] = True
        elif options.cancelled_marker == "dte_state":
            body["dte_state"] = "INVALIDADO"
    if adjusted is not None:
        body["adjusted_document"] = _identifiers(adjusted) | {"doc_type": adjusted.doc_type}
    if include_dte and record.stamp:
        body["schema"] = files.dte(record, options)
        body["response"] = {
            "estado": record.state or "PROCESADO",
            "selloRecibido": record.stamp,
            "codigoMsg": record.code or "001",
            "descripcionMsg": record.message,
            "observaciones": list(record.observations),
        }
    return shaped(body, record, options, options.status_omitted)


def cancelled(record: Record, options: SandboxOptions, memo: Record | None, *, pending: bool) -> dict[str, Any]:
    """Return the body of an invalidation and of its status."""
    body: dict[str, Any] = {
        "success": True,
        "dte_success": not pending,
        "contingency": pending,
        "rejected": False,
        "document_id": record.document_id,
        "external_ref": record.ref,
        "control_number": record.control_number,
        "generation_code": record.generation_code,
        "reception_stamp": "" if pending else record.cancellation_stamp,
        "dte_state": "",
        "dte_message": "",
        "observaciones": [],
        "codigo_msg": "",
        "created_credit_memo": memo is not None,
    }
    if memo is not None:
        body |= _named_memo(memo, options)
    return shaped(_cancel_answer(body, record, options), record, options, ())


def _named_memo(memo: Record, options: SandboxOptions) -> dict[str, Any]:
    """Return the credit note that was written instead, by the names that the options choose."""
    match options.memo_keys:
        case "nested":
            return {"nota_credito": {"uuid": memo.document_id, "numero_control": memo.control_number}}
        case "in-place":
            return {"document_id": memo.document_id, "control_number": memo.control_number}
        case _:
            return {"credit_memo_id": memo.document_id, "credit_memo_control_number": memo.control_number}


def _cancel_answer(body: dict[str, Any], record: Record, options: SandboxOptions) -> dict[str, Any]:
    """Return the body of an invalidation in the shape that the options choose: the pages show none (provider.md 10)."""
    match options.cancel_answer:
        case "marked":
            kept = {name: value for name, value in body.items() if name not in (*_LATER_FLAGS, "reception_stamp")}
            return kept | {"invalidated": body["dte_success"], "contingency": body["contingency"]}
        case "own-stamp":
            return body | {"reception_stamp": record.stamp}
        case "bare":
            of_memo = ("created_credit_memo", *_named_memo(record, options))
            return {name: value for name, value in body.items() if name in of_memo} | {"success": True}
        case _:
            return body


def shaped(
    body: dict[str, Any], record: Record, options: SandboxOptions, also_omitted: Iterable[str]
) -> dict[str, Any]:
    """Return the body as the generation and the options about absent, omitted and unknown fields make it."""
    if options.extra_fields:
        body |= {
            "is_dte": record.standing in (Standing.STAMPED, Standing.CONTINGENCY, Standing.CANCELLED),
            "created_at": record.registered_at,
            "tenant": {"code": record.company, "tags": []},
        }
    for name in (*_MISSING[options.generation], *options.omitted, *also_omitted):
        body.pop(name, None)
    if options.absent == "text":
        return body
    if options.absent == "null":
        return {name: None if value in ("", []) else value for name, value in body.items()}
    return {name: value for name, value in body.items() if value not in ("", [])}


def as_json(body: Mapping[str, Any] | list[Any], status_code: int = 200) -> Answer:
    """Return a JSON answer."""
    return Answer(status=status_code, body=_ENCODER.encode(body).encode())


def refusal(refused: Refused, options: SandboxOptions) -> Answer:
    """Return an error answer in the ordered shape; 429 has its documented one."""
    code, detail = refused.status, refused.detail
    if code == 429:
        return as_json({"detail": detail}, code)
    if code == 422:
        return as_json({"detail": _listed(refused)}, code)
    match options.detail_shape if code == 400 else options.error_shape:
        case "list":
            return as_json({"detail": _listed(refused)}, code)
        case "object":
            return as_json({"detail": {"code": "error", "message": detail}}, code)
        case "error":
            return as_json({"error": detail}, code)
        case "html":
            return Answer(status=code, body=PAGE, media_type=HTML)
        case "empty":
            return Answer(status=code)
        case _:
            return as_json({"detail": detail}, code)


def _listed(refused: Refused) -> list[dict[str, Any]]:
    return [{"loc": list(refused.place or ("body",)), "msg": refused.detail, "type": "value_error"}]


def _flags(record: Record, options: SandboxOptions) -> dict[str, Any]:
    rejected = record.standing is Standing.REJECTED
    return {
        "success": options.rejected_success if rejected else True,
        "dte_success": record.standing in (Standing.STAMPED, Standing.CANCELLED) and bool(record.stamp),
        "contingency": record.standing is Standing.CONTINGENCY,
        "rejected": rejected,
        "posted": options.rejected_posted if rejected else True,
    }


def _identifiers(record: Record) -> dict[str, Any]:
    return {
        "document_id": record.document_id,
        "external_ref": record.ref,
        "control_number": record.control_number,
        "generation_code": record.generation_code,
        "reception_stamp": record.stamp,
    }


def _diagnostics(record: Record) -> dict[str, Any]:
    return {
        "dte_state": record.state,
        "dte_message": record.message,
        "observaciones": list(record.observations),
        "codigo_msg": record.code,
    }


_AMOUNT_NAMES: Mapping[str, tuple[str, ...]] = {
    "amount": ("amount_taxable", "amount_vat", "amount_gross", "amount_retention", "amount_total"),
    "short": ("taxable", "vat", "gross", "retention", "total"),
    "none": (),
}
_SCHEMA_NAMES: Mapping[str, tuple[str, ...]] = {
    "05": ("totalGravada", "totalIva", "montoTotalOperacion", "ivaRete1", "totalPagar"),
    "14": ("totalCompra", "totalIva", "subTotal", "reteRenta", "totalPagar"),
}


def _amounts(record: Record, options: SandboxOptions) -> dict[str, Any]:
    amounts = record.amounts
    names = _AMOUNT_NAMES["amount"]
    if record.doc_type in _SCHEMA_NAMES:
        chosen = options.amount_names
        names = _SCHEMA_NAMES[record.doc_type] if chosen == "schema" else _AMOUNT_NAMES[chosen]
    values = (amounts.taxable, amounts.vat, amounts.gross, amounts.retention, amounts.total)
    return {name: float(value or 0) for name, value in zip(names, values, strict=False)}


def _urls(record: Record, addresses: Addresses) -> dict[str, Any]:
    stamped = bool(record.stamp)
    has_ticket = record.doc_type == "01" and record.standing not in (Standing.REJECTED, Standing.PENDING)
    return {
        "ticket_url": addresses.file(record, "ticket") if has_ticket else "",
        "invoice_url": addresses.file(record, "invoice") if stamped else "",
        "json_url": addresses.file(record, "json") if stamped else "",
    }
