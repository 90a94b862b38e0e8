"""The files of a document: its DTE, the JWS around it, and small real PDFs."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from functools import lru_cache
from typing import Any

from batch_issuer.sandbox.amounts import cents, line_amount
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.store import Record, Standing

EL_SALVADOR = dt.timezone(dt.timedelta(hours=-6))
_VERSIONS = {"01": 1, "03": 3, "05": 3, "11": 1, "14": 1}
_TICKET = (227, 595)
_LETTER = (612, 792)
_LINE_HEIGHT = 12
_ON_CREDIT = 2
"""`transaction_condition` (CAT-016); only credit has a term."""


def moment(seconds: float) -> dt.datetime:
    """Return the clock's seconds (since 1970, UTC) as El Salvador's date and time."""
    return dt.datetime.fromtimestamp(seconds, EL_SALVADOR)


@lru_cache(maxsize=16)
def written(second: int) -> tuple[str, str, str]:
    """Return a second of the clock as a date, a time, and the beginning of a stamp."""
    at = moment(second)
    return at.date().isoformat(), at.strftime("%H:%M:%S"), at.strftime("%Y%m%d%H%M%S")


def dte(record: Record, options: SandboxOptions) -> dict[str, Any]:
    """Return the document as the ministry's structures have it, without its signature."""
    date, time, _ = written(int(record.registered_at))
    recipient = "sujetoExcluido" if record.doc_type == "14" else "receptor"
    return {
        "identificacion": {
            "version": _VERSIONS[record.doc_type],
            "ambiente": record.environment,
            "tipoDte": record.doc_type,
            "numeroControl": record.control_number,
            "codigoGeneracion": record.generation_code,
            "tipoModelo": 1,
            "tipoOperacion": 1,
            "fecEmi": date,
            "horEmi": time,
            "tipoMoneda": "USD",
        },
        "emisor": {
            "nit": issuer_nit(record.company, record.environment, options),
            "nombre": record.company,
            "codActividad": record.sale.activity_code,
        },
        recipient: _recipient(record),
        "cuerpoDocumento": _body(record, options),
        "resumen": _summary(record),
        "selloRecibido": record.stamp,
    }


def issuer_nit(company: str, environment: str, options: SandboxOptions) -> str:
    """Return the NIT of a company: the one that came with its key, else one of its own that follows from its name."""
    for key in options.keys:
        if key.nit and (key.company, key.environment) == (company, environment):
            return key.nit
    number = int.from_bytes(hashlib.blake2b(company.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return f"0614{number % 10**10:010}"


def jws(document: dict[str, Any]) -> str:
    """Return a compact JWS of the document; its signature is a digest and proves nothing, as there is no key."""
    header = _encoded(b'{"alg":"RS512"}')
    payload = _encoded(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
    signature = _encoded(hashlib.sha512(f"{header}.{payload}".encode()).digest() * 4)
    return f"{header}.{payload}.{signature}"


def json_file(record: Record, options: SandboxOptions) -> bytes:
    """Return the body of `type=json`."""
    document = dte(record, options)
    signed = jws(document)
    if options.json_file == "jws":
        return signed.encode()
    return json.dumps(document | {"firmaElectronica": signed}, ensure_ascii=False, indent=2).encode()


def ticket(record: Record) -> bytes:
    """Return the ticket of 8 by 21 cm; it says when the stamp is missing."""
    waiting = ["DOCUMENTO EN CONTINGENCIA: transmisión pendiente"] * (record.standing is Standing.CONTINGENCY)
    return _pdf(_TICKET, 7, [*_page(record), *waiting])


def letter(record: Record) -> bytes:
    """Return the letter-sized document."""
    return _pdf(_LETTER, 10, _page(record))


def _recipient(record: Record) -> dict[str, Any]:
    """Return who buys, or in type 14 who sells, by the names of the ministry's structure."""
    fields = record.recipient
    return {
        "tipoDocumento": fields.get("document_type"),
        "numDocumento": fields.get("nit") or fields.get("dui"),
        "nrc": fields.get("nrc"),
        "nombre": fields.get("name", record.sale.customer_name),
        "codActividad": fields.get("activity_code"),
        "direccion": {
            "departamento": fields.get("department"),
            "municipio": fields.get("municipality"),
            "complemento": fields.get("address"),
        },
        "telefono": fields.get("phone"),
        "correo": fields.get("email"),
    }


def _body(record: Record, options: SandboxOptions) -> list[dict[str, Any]]:
    """Return the lines of the document."""
    return [
        {
            "numItem": number,
            "tipoItem": 2 if line.is_service else 1,
            "descripcion": line.description,
            "cantidad": float(line.quantity),
            "precioUni": float(line.unit_price),
            "montoDescu": float(cents(line.quantity * line.unit_price - line_amount(line, options))),
            "ventaGravada": float(cents(line_amount(line, options))),
        }
        for number, line in enumerate(record.sale.lines, 1)
    ]


def _summary(record: Record) -> dict[str, Any]:
    """Return what a document comes to and how it is paid; each type has its own names for VAT and what is withheld."""
    amounts, sale = record.amounts, record.sale
    taxable, vat, gross, retention, total = (
        float(amount or 0) for amount in (amounts.taxable, amounts.vat, amounts.gross, amounts.retention, amounts.total)
    )
    of_type: dict[str, dict[str, Any]] = {
        "01": {"totalIva": vat, "ivaRete1": retention},
        "03": {"tributos": [{"codigo": "20", "valor": vat}], "ivaRete1": retention},
        "05": {"tributos": [{"codigo": "20", "valor": vat}], "ivaRete1": retention},
        "14": {"totalCompra": gross, "reteRenta": retention},
    }
    payment = {
        "codigo": sale.payment_method,
        "montoPago": total,
        "plazo": f"{sale.deadline:02}" if sale.transaction_condition == _ON_CREDIT else None,
        "periodo": sale.period if sale.transaction_condition == _ON_CREDIT else None,
    }
    return {
        "totalGravada": gross if record.doc_type == "01" else taxable,
        "subTotal": gross if record.doc_type == "01" else taxable,
        "montoTotalOperacion": gross,
        "totalPagar": total,
        **of_type.get(record.doc_type, {}),
        "condicionOperacion": sale.transaction_condition,
        "pagos": [payment],
    }


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _page(record: Record) -> list[str]:
    amounts = record.amounts
    return [
        f"DTE {record.doc_type}   {record.company}",
        record.control_number,
        record.generation_code,
        record.recipient.get("name", record.sale.customer_name),
        *(f"{line.quantity} x {line.unit_price}  {line.description}"[:90] for line in record.sale.lines[:40]),
        f"Gravado {amounts.taxable}   IVA {amounts.vat}",
        f"Retenido {amounts.retention}   Total {amounts.total}",
        f"Sello {record.stamp}",
    ]


def _pdf(size: tuple[int, int], letter_height: int, lines: list[str]) -> bytes:
    """Return a PDF of one page with these lines, small and real: viewers take it, and whoever checks that it is whole.

    `size` is in points, 72 to an inch.
    """
    texts = (" ".join(line.split()).encode("cp1252", "replace") for line in lines)
    # Backslashes and parentheses are signs of PDF strings.
    shown = b"\n".join(b"(%b) Tj T*" % re.sub(rb"[\\()]", rb"\\\g<0>", text) for text in texts)
    top = size[1] - 2 * _LINE_HEIGHT
    content = b"BT /F1 %d Tf %d TL 10 %d Td\n%b\nET" % (letter_height, _LINE_HEIGHT, top, shown)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 5 0 R "
        b"/Resources << /Font << /F1 4 0 R >> >> >>" % size,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
    ]
    # Bytes above 127 in the second line: programs that move files then know this one for binary.
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
