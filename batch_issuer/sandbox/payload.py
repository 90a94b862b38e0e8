"""Bodies of requests, read into typed values or refused with the provider's own words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from batch_issuer.sandbox import catalogs
from batch_issuer.sandbox.options import SandboxOptions

DOC_TYPES = ("01", "03", "11")
LONGEST_REF = 100
LONGEST_DESCRIPTION = 1000
HIGHEST_DISCOUNT = 99
_ZERO = Decimal(0)
LARGEST = Decimal(10) ** 11
"""The ministry's bound of quantities and prices."""
CUSTOMER_DEFAULTS: Mapping[str, Any] = {
    "document_type": "37",
    "type_contributor": 1,
    "favorite_doc": "01",
    "address": "San Salvador",
}
_CUSTOMER_TEXTS = (
    "name", "nit", "nrc", "dui", "document_type", "favorite_doc", "address", "activity_code", "district",
    "department", "municipality", "email", "phone",
)  # fmt: skip
_SUBJECT_TEXTS = tuple(name for name in _CUSTOMER_TEXTS if name not in ("nrc", "favorite_doc"))
_KNOWN = {
    "invoice": frozenset(
        [
            "doc_type", "lines", "customer", "customer_name", "payment_method", "transaction_condition", "deadline",
            "period", "activity_code", "redirect_email", "external_ref",
        ]
    ),
    "suex": frozenset(["lines", "subject", "external_ref"]),
    "credit-memo": frozenset(["document_id", "full_adjustment", "lines", "external_ref"]),
    "customer": frozenset((*_CUSTOMER_TEXTS, "type_contributor")),
    "subject": frozenset(_SUBJECT_TEXTS),
    "invoice lines": frozenset(["description", "quantity", "unit_price", "discount_percentage"]),
    "suex lines": frozenset(["description", "quantity", "unit_price", "is_service"]),
    "credit-memo lines": frozenset(["description", "quantity", "unit_price"]),
}  # fmt: skip
"""Fields that the provider's pages name for each route."""


def _no_constant(name: str) -> Decimal:
    """Raise `ValueError`: `NaN` and `Infinity` are no JSON, although Python reads them."""
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)


class Refused(Exception):  # noqa: N818 - an answer of the provider, not an error of ours
    """The request is answered with this status and text; nothing is registered."""

    def __init__(self, status: int, detail: str, *place: str | int) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.place = place
        """Where in the body, for the list shape of `detail`."""


class SaleLine(NamedTuple):
    """One line as sent; whether the price includes VAT depends on the document's type."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    is_service: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A document as sent. `customer` holds only the fields that were sent."""

    doc_type: str
    ref: str
    lines: tuple[SaleLine, ...]
    customer: Mapping[str, Any] | None = None
    customer_name: str = "Consumidor Final"
    payment_method: str = "01"
    transaction_condition: int = 1
    deadline: int = 1
    period: int = 1
    activity_code: str = ""
    redirect_email: str = ""
    adjusts: str = ""
    full_adjustment: bool = False
    own_lines: bool = True
    """Type 05: false for one that credits the lines of its CCF."""


def parse_body(body: bytes, options: SandboxOptions) -> Mapping[str, Any]:
    """Return the JSON object of a body, with every decimal kept exact. Raises `Refused` where it is none."""
    try:
        payload = _DECODER.decode(body.decode("utf-8-sig"))
        if b"\\ud" in body.lower():  # half a surrogate pair is no text
            json.dumps(payload, ensure_ascii=False, default=str).encode()
    except (ValueError, RecursionError):
        raise Refused(options.schema_error_status, "El cuerpo no es JSON válido", "body") from None
    if not isinstance(payload, dict):
        raise Refused(options.schema_error_status, "El cuerpo debe ser un objeto JSON", "body")
    return payload


class Reader:
    """Reads bodies under the options in force."""

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options

    def sale(self, payload: Mapping[str, Any]) -> Sale:
        """Read a body of POST /invoice: types 01, 03 and 11. Raises `Refused`."""
        self._only_known(payload, "invoice")
        doc_type = payload.get("doc_type", "01")
        if doc_type not in DOC_TYPES:
            raise Refused(400, "doc_type debe ser uno de: 01, 03, 11", "body", "doc_type")
        customer = self._customer(payload.get("customer"), "customer")
        if doc_type == "03":
            if customer is None:
                raise Refused(400, "customer es requerido para CCF (03)", "body", "customer")
            for name in ("nit", "nrc") if self._options.ccf_without_nrc == "error400" else ("nit",):
                if not customer.get(name):
                    raise Refused(400, f"Campo #/receptor/{name} es requerido", "body", "customer", name)
        return Sale(
            doc_type=doc_type,
            ref=self.ref(payload),
            lines=self._lines(payload.get("lines")),
            customer=customer,
            customer_name=self._text(payload, "customer_name") or "Consumidor Final",
            payment_method=self._text(payload, "payment_method") or "01",
            transaction_condition=self._whole(payload, "transaction_condition", (1, 2, 3)),
            deadline=self._whole(payload, "deadline", (1, 2, 3)),
            period=self._whole(payload, "period", None),
            activity_code=self._text(payload, "activity_code"),
            redirect_email=self._text(payload, "redirect_email"),
        )

    def purchase(self, payload: Mapping[str, Any]) -> Sale:
        """Read a body of POST /suex: type 14; the subject stands where a sale has its customer. Raises `Refused`."""
        self._only_known(payload, "suex")
        subject = self._customer(payload.get("subject"), "subject")
        if subject is None:
            raise Refused(400, "subject es requerido", "body", "subject")
        if self._options.subject_number == "error400" and not (subject.get("nit") or subject.get("dui")):
            raise Refused(400, "subject: nit o dui es requerido", "body", "subject", "dui")
        lines = self._lines(payload.get("lines"), "suex")
        return Sale(doc_type="14", ref=self.ref(payload), lines=lines, customer=subject)

    def memo(self, payload: Mapping[str, Any]) -> Sale:
        """Read a body of POST /credit-memo: type 05; without lines it credits those of the CCF. Raises `Refused`."""
        self._only_known(payload, "credit-memo")
        adjusts = self._text(payload, "document_id")
        if not adjusts:
            raise Refused(400, "document_id es requerido", "body", "document_id")
        full = payload.get("full_adjustment", False)
        if not isinstance(full, bool):
            raise self._wrong("debe ser verdadero o falso", "full_adjustment")
        lines = payload.get("lines") or ()
        if lines and full:
            if self._options.memo_with_both == "error400":
                raise Refused(400, "No se permite enviar lines con full_adjustment", "body", "lines")
            full, lines = (False, lines) if self._options.memo_with_both == "lines" else (True, ())
        return Sale(
            doc_type="05",
            ref=self.ref(payload),
            lines=self._lines(lines, "credit-memo") if lines else (),
            adjusts=adjusts,
            full_adjustment=full,
            own_lines=bool(lines),
        )

    def ref(self, payload: Mapping[str, Any]) -> str:
        """Return the reference, empty when none is sent, cut where it is too long. Raises `Refused`."""
        ref = self._text(payload, "external_ref")
        if len(ref) > LONGEST_REF and self._options.long_ref == "error400":
            raise Refused(400, "external_ref no debe exceder 100 caracteres", "body", "external_ref")
        return ref[:LONGEST_REF] if self._options.long_ref == "truncated" else ref

    def _lines(self, lines: Any, route: str = "invoice") -> tuple[SaleLine, ...]:
        if not lines:
            raise Refused(400, "Debe incluir al menos una línea", "body", "lines")
        if not isinstance(lines, list):
            raise self._wrong("debe ser una lista", "lines")
        most = self._options.max_lines
        if most is not None and len(lines) > most:
            raise Refused(400, f"No debe incluir más de {most} líneas", "body", "lines")
        return tuple(self._line(number, line, route) for number, line in enumerate(lines, 1))

    def _line(self, number: int, line: Any, route: str) -> SaleLine:
        """Read one line, counted from 1. Raises `Refused`: for its types by the schema, then for its values."""
        if not isinstance(line, dict):
            raise self._wrong("debe ser un objeto", "lines", number - 1)
        self._only_known(line, f"{route} lines", "lines", number - 1)
        quantity = self._number(line, "quantity", number - 1)
        price = self._number(line, "unit_price", number - 1)
        discount = self._number(line, "discount_percentage", number - 1, _ZERO)
        description = line.get("description", "")
        service = line.get("is_service", False)
        if not isinstance(description, str) or not isinstance(service, bool):
            raise self._wrong("tipo inválido", "lines", number - 1)
        if quantity <= 0:
            raise _line_refused(number, "quantity", "cantidad debe ser mayor a cero")
        if price <= 0:
            raise _line_refused(number, "unit_price", "precio unitario debe ser mayor a cero")
        if not description.strip():
            raise _line_refused(number, "description", "descripción es requerida")
        if len(description) > LONGEST_DESCRIPTION:
            raise _line_refused(number, "description", "descripción no debe exceder 1000 caracteres")
        if not 0 <= discount <= HIGHEST_DISCOUNT:
            raise _line_refused(number, "discount_percentage", "descuento debe estar entre 0 y 99")
        return SaleLine(description, quantity, price, discount, service)

    def _customer(self, customer: Any, where: str) -> Mapping[str, Any] | None:
        if customer is None:
            return None
        if not isinstance(customer, dict):
            raise self._wrong("debe ser un objeto", where)
        self._only_known(customer, where, where)
        sent: dict[str, Any] = {name: self._text(customer, name, where) for name in _CUSTOMER_TEXTS if name in customer}
        if not sent.get("name", "").strip():
            raise Refused(400, f"{where}.name es requerido", "body", where, "name")
        if "type_contributor" in customer:
            sent["type_contributor"] = self._whole(customer, "type_contributor", (1, 2, 3, 4), where)
        return self._placed(sent, where)

    def _placed(self, sent: dict[str, Any], where: str) -> Mapping[str, Any]:
        """Return a customer with department and municipality as the district or the code says. Raises `Refused`."""
        if district := sent.get("district"):
            found = catalogs.district(district)
            if found is None:
                raise Refused(400, f"Distrito no encontrado: {district}", "body", where, "district")
            return {**sent, "department": found.department, "municipality": found.municipality}
        department, municipality = sent.get("department", ""), sent.get("municipality", "")
        if not department and not municipality:
            return sent
        short = catalogs.municipality(department, municipality)
        if short is None:
            text = f"Departamento/municipio no encontrado: {department}/{municipality}"
            raise Refused(400, text, "body", where, "municipality")
        return {**sent, "municipality": short}

    def _only_known(self, fields: Mapping[str, Any], known: str, *place: str | int) -> None:
        if self._options.unknown_fields == "refused":
            for name in fields:
                if name not in _KNOWN[known]:
                    raise self._wrong("campo no permitido", *place, name)

    def _text(self, fields: Mapping[str, Any], name: str, *where: str) -> str:
        value = fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong("debe ser texto", *where, name)
        return value

    def _whole(self, fields: Mapping[str, Any], name: str, known: Sequence[int] | None, *where: str) -> int:
        value = fields.get(name, 1)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):  # to Python `True` is a whole number
            raise self._wrong("debe ser un entero", *where, name)
        if value not in known if known else value < 1:
            raise Refused(400, f"{name} inválido: {value}", "body", *where, name)
        return value

    def _number(self, line: Mapping[str, Any], name: str, index: int, default: Decimal | None = None) -> Decimal:
        value = line.get(name, default)
        number = None
        if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
            try:
                number = Decimal(value)
            except InvalidOperation:
                number = None
        if number is None or not number.is_finite() or not -LARGEST < number < LARGEST:
            raise self._wrong("debe ser un número", "lines", index, name)
        return number

    def _wrong(self, reason: str, *place: str | int) -> Refused:
        name = ".".join(str(part) for part in place)
        return Refused(self._options.schema_error_status, f"{name}: {reason}", "body", *place)


def _line_refused(number: int, name: str, reason: str) -> Refused:
    return Refused(400, f"Línea {number}: {reason}", "body", "lines", number - 1, name)
