"""Documents to the provider's JSON and its answers back to values. The only module that knows the JSON's names.

The bytes that are sent are canonical (fixed order, exact decimals), so that their digest is the fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from batch_issuer.model.documents import DOC_TYPES, WITHOUT_VAT, Amounts, Customer, Document, Line
from batch_issuer.model.fields import TABLE, Field, Owner, Travels
from batch_issuer.model.money import with_vat as price_with_vat
from batch_issuer.model.records import Answer, CreditMemo
from batch_issuer.rules.identifiers import NIT_LENGTHS, digits_of, is_uuid

_KEY_IN_URL = re.compile(r"([?&;])(?:(?:k|%[46]b)(?:e|%[46]5)(?:y|%[57]9)=[^&;#\s\"'<>]*[&;]?)+", re.IGNORECASE)
_KEY = re.compile(r"odt(?:_|%5f)[0-9a-z_.~+/=-]+", re.IGNORECASE)
_LONGEST_TEXT = 2000


def encode(document: Document) -> bytes:
    """The body of the POST that issues a document, canonical: the same content gives the same bytes.

    Only fields that the provider documents for the type are sent. Raises `ValueError` for a credit note that says
    neither lines nor full adjustment: the provider would credit the whole CCF.
    """
    match document.doc_type:
        case "05":
            fields = _credit_note(document)
        case "14":
            fields = _purchase(document)
        case _:
            fields = _sale(document)
    text = "{" + ",".join([_member("external_ref", document.external_ref), *fields]) + "}"
    return text.encode("utf-8", "backslashreplace")


def person_in(body: bytes) -> Mapping[str, str]:
    """What a canonical body says of the customer or subject, by the provider's names; empty where it names none."""
    plain = json.loads(body)
    return next(({name: str(value) for name, value in plain[key].items()} for key in _PEOPLE if key in plain), {})


def person(customer: Customer) -> Mapping[str, str]:
    """The same of a customer who is not sent yet."""
    fields = _PLAIN[Owner.CUSTOMER, "01"]
    return {one.wire: value for one in fields if (value := getattr(customer, one.attribute))}


def credits_all(body: bytes) -> bool:
    """Whether the canonical body of a credit note credits the whole CCF."""
    return json.loads(body).get("full_adjustment") is True


def named(plain: Mapping[str, Any], id_or_ref: str) -> str:
    """The reference that an answer about an id or a reference must have: its own where the id is the one asked for."""
    document_id, reference = plain.get("document_id"), plain.get("external_ref")
    if isinstance(document_id, str) and document_id.lower() == id_or_ref.lower() and isinstance(reference, str):
        return reference
    return id_or_ref


def content_of(body: bytes) -> bytes:
    """A canonical body without its reference: what two bodies of the same sale have in common."""
    _, _, content = body.partition(b',"')
    return content.removeprefix(b'doc_type"')


def _sale(document: Document) -> list[str]:
    """`POST /invoice`: 01, 03 and 11 (provider.md 5 to 7)."""
    with_vat = document.prices_with_vat or document.doc_type in WITHOUT_VAT
    return [
        _member("doc_type", document.doc_type),
        *([_customer("customer", document.customer, document.doc_type)] if document.customer else _name(document)),
        *_plain(document, Owner.DOCUMENT, document.doc_type),
        _lines(_sold_plainly(document.lines) if with_vat else [_line(line, with_vat=False) for line in document.lines]),
    ]


def _purchase(document: Document) -> list[str]:
    """`POST /suex`: 14; no type, payment or term, and lines without discounts (provider.md 9)."""
    subject = document.customer or Customer(name=document.customer_name)
    lines = [_undiscounted(line, with_vat=True, services=True) for line in document.lines]
    return [_customer("subject", subject, "14"), *_plain(document, Owner.DOCUMENT, "14"), _lines(lines)]


def _credit_note(document: Document) -> list[str]:
    """`POST /credit-memo`: 05; what is credited is always said, lines or all of it (provider.md 8)."""
    adjusts = document.adjusts
    adjusted = _member("document_id", adjusts.lower() if is_uuid(adjusts) else adjusts)
    others = _plain(document, Owner.DOCUMENT, "05")
    if document.full_adjustment:
        return [adjusted, *others, '"full_adjustment":true']
    if not document.lines or not document.adjusts:
        raise ValueError(document.external_ref)
    return [
        adjusted,
        *others,
        _lines([_undiscounted(line, with_vat=document.prices_with_vat) for line in document.lines]),
    ]


def fingerprint(body: bytes) -> str:
    """Digest of a canonical body: what was said about the sale."""
    return hashlib.sha256(body).hexdigest()


def path_of(external_ref: str) -> str:
    """A reference as one segment of a URL path; every character that could mean something there is encoded."""
    encoded = quote(external_ref, safe="")
    return encoded.replace(".", "%2E") if set(external_ref) <= {"."} else encoded


_text = json.encoder.encode_basestring


def _member(name: str, value: str) -> str:
    return f'"{name}":{_text(value)}'


def _name(document: Document) -> list[str]:
    return [_member("customer_name", document.customer_name)] if document.customer_name else []


def _lines(lines: list[str]) -> str:
    return '"lines":[' + ",".join(lines) + "]"


_PLAIN: Mapping[tuple[Owner, str], tuple[Field, ...]] = {
    (owner, doc_type): tuple(
        field
        for travels in (Travels.AS_TEXT, Travels.AS_WHOLE)  # texts first: every fingerprint in use has this order
        for field in TABLE
        if field.travels is travels and field.owner is owner and doc_type in field.doc_types
    )
    for owner in (Owner.DOCUMENT, Owner.CUSTOMER)
    for doc_type in DOC_TYPES
}
"""The fields of a document and of its customer that travel as they are, by type, in the order of the JSON."""


def _plain(values: Document | Customer, owner: Owner, doc_type: str) -> Iterator[str]:
    for field in _PLAIN[owner, doc_type]:
        if value := getattr(values, field.attribute):
            is_text = field.travels is Travels.AS_TEXT
            yield _member(field.wire, value) if is_text else f'"{field.wire}":{int(value)}'


def _customer(key: str, customer: Customer, doc_type: str) -> str:
    return f'"{key}":{{' + ",".join(_plain(customer, Owner.CUSTOMER, doc_type)) + "}"


def _sold_plainly(lines: Sequence[Line]) -> list[str]:
    """The lines at their own prices; half a million of them are most of what encoding takes."""
    if any(map(_discount, lines)):
        return [_line(line, with_vat=True) for line in lines]
    texts, numbers = _TEXTS, _NUMBERS
    return [
        f'{{"description":{texts[description]},"quantity":{numbers[quantity]},"unit_price":{numbers[price]}}}'
        for description, quantity, price, _, _, _ in lines
    ]


_discount = attrgetter("discount_percentage")


def _line(line: Line, *, with_vat: bool) -> str:
    text = _sold(line, line.unit_price, with_vat=with_vat)
    if line.discount_percentage:
        text += f',"discount_percentage":{_number(line.discount_percentage)}'
    return text + "}"


def _undiscounted(line: Line, *, with_vat: bool, services: bool = False) -> str:
    """A line where no discount is documented: the price is sent with it taken off, to the last decimal."""
    price = line.unit_price * (100 - line.discount_percentage) / 100 if line.discount_percentage else line.unit_price
    text = _sold(line, price, with_vat=with_vat)
    return text + (',"is_service":true}' if services and line.is_service else "}")


def _sold(line: Line, price: Decimal, *, with_vat: bool) -> str:
    price = price if with_vat else price_with_vat(price)
    return (
        f'{{"description":{_TEXTS[line.description]},"quantity":{_NUMBERS[line.quantity]},"unit_price":{_number(price)}'
    )


def _number(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class _Written(dict[Any, str]):
    """Values as they are written, each worked out once; a look into it takes half of what a cached function does."""

    def __init__(self, write: Callable[[Any], str]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, value: Any) -> str:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        text = self[value] = self._write(value)
        return text


_MOST_REMEMBERED = 65_536
_TEXTS, _NUMBERS = _Written(_text), _Written(_number)


def remove_keys(text: str) -> str:
    """The text without `?key=…` and without anything that looks like an API key."""
    if "=" not in text and "odt" not in text.lower():
        return text  # most texts of an answer
    return _KEY.sub("odt_…", _KEY_IN_URL.sub(lambda found: found[1] if found[0][-1] in "&;" else "", text))


def decode(content: bytes) -> Mapping[str, Any] | None:
    """The JSON object of an answer, or None where the content is something else."""
    plain = decode_any(content)
    return plain if isinstance(plain, dict) else None


def decode_any(content: bytes) -> object:
    """The JSON of an answer, or None where the content is no JSON, or holds numbers beyond all bounds."""
    try:
        return _EXACT.decode(content.decode(json.detect_encoding(content), "surrogatepass"))
    except (ValueError, InvalidOperation, RecursionError):
        return None


_EXACT = json.JSONDecoder(parse_float=Decimal)


def read_answer(plain: Mapping[str, Any] | None, http_status: int) -> Answer:
    """What an answer says, every field optional and of any type; keys are removed from every text."""
    plain = plain or {}
    return Answer(
        http_status=http_status,
        doc_type=_said(plain, "doc_type"),
        document_id=_said(plain, "document_id"),
        control_number=_said(plain, "control_number"),
        generation_code=_said(plain, "generation_code"),
        reception_stamp=_said(plain, "reception_stamp"),
        amounts=Amounts(**{name: _first_amount(plain, keys) for name, keys in _AMOUNTS.items()}),
        is_duplicate=plain.get("is_duplicate") is True,
        dte_state=_said(plain, "dte_state"),
        dte_message=_said(plain, "dte_message"),
        codigo_msg=_said(plain, "codigo_msg"),
        observaciones=_observations(plain.get("observaciones")),
        detail=_detail(plain.get("detail")),
        **_whose(plain),
    )


ENVIRONMENTS: Mapping[str, str] = MappingProxyType({"00": "test", "01": "production"})
"""`identificacion.ambiente` (CAT-001)."""


def _whose(plain: Mapping[str, Any]) -> dict[str, str]:
    """Who issued, and in which environment, where the answer carries the document itself (provider.md 4 and 11)."""
    issuer = environment = ""
    for name in ("dte", "schema"):
        document = plain.get(name)
        if isinstance(document, dict):
            issuer = issuer or _nit(document.get("emisor"))
            environment = environment or _environment(document.get("identificacion"))
    return {"issuer_nit": issuer, "environment": environment}


def _nit(issuer: object) -> str:
    """The digits of an issuer's NIT; empty for whatever is none."""
    number = issuer.get("nit") if isinstance(issuer, dict) else None
    digits = digits_of(number.strip()) if isinstance(number, str) else ""
    return digits if len(digits) in NIT_LENGTHS else ""


def _environment(identification: object) -> str:
    code = identification.get("ambiente") if isinstance(identification, dict) else None
    return ENVIRONMENTS.get(code, "") if isinstance(code, str) else ""


def _said(plain: Mapping[str, Any], name: str) -> str:
    value = plain.get(name)
    if isinstance(value, str):
        return remove_keys(value.strip())[:_LONGEST_TEXT]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)[:_LONGEST_TEXT]
    return ""


_AMOUNTS: Mapping[str, tuple[str, ...]] = {
    "taxable": ("amount_taxable", "taxable", "taxable_amount", "totalGravada", "totalCompra"),
    "vat": ("amount_vat", "vat", "vat_amount", "amount_iva", "totalIva"),
    "gross": (
        "amount_gross", "gross", "gross_amount", "amount_subtotal", "subtotal", "montoTotalOperacion", "subTotal",
    ),
    "retention": (
        "amount_retention", "retention", "amount_income_tax", "amount_isr", "amount_renta", "amount_withholding",
        "withholding", "ivaRete1", "ivaRete", "reteRenta",
    ),
    "total": ("amount_total", "total", "total_amount", "amount_net", "totalPagar"),
}  # fmt: skip
"""The documented name of each amount, then those that /suex and /credit-memo may give it (provider.md 8 and 9)."""


def _first_amount(plain: Mapping[str, Any], keys: tuple[str, ...]) -> Decimal | None:
    for key in keys:
        if (amount := read_amount(plain, key)) is not None:
            return amount
    return None


def read_amount(plain: Mapping[str, Any], name: str) -> Decimal | None:
    """A number or a number as text; None for everything else and beyond all bounds."""
    amount = plain.get(name)
    if not isinstance(amount, Decimal):
        if isinstance(amount, bool) or not isinstance(amount, (int, str)):
            return None
        try:
            amount = Decimal(str(amount))
        except InvalidOperation:
            return None
    return amount if amount.is_finite() and -_TOO_MUCH < amount < _TOO_MUCH else None


_TOO_MUCH = Decimal(10) ** 15


def _observations(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(text for item in value if (text := _detail(item)))
    return (text,) if (text := _detail(value)) else ()


def _detail(value: object, depth: int = 9) -> str:
    """An error text that may be a text, a list or an object (provider.md 15b)."""
    if not depth or value is None or value in ("", [], {}):
        return ""
    match value:
        case str():
            return remove_keys(value)[:_LONGEST_TEXT]
        case list():
            return "; ".join(text for item in value if (text := _detail(item, depth - 1)))[:_LONGEST_TEXT]
        case dict() if isinstance(value.get("msg"), str):
            return remove_keys(str(value["msg"]))[:_LONGEST_TEXT]
        case _:
            return remove_keys(json.dumps(value, ensure_ascii=False, default=str))[:_LONGEST_TEXT]


_MEMO_NUMBER = re.compile(r"DTE-05-\w{8}-\d{15}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OF_A_MEMO = re.compile(r"memo|credit|nota|(?:^|_)nc(?:_|$)", re.IGNORECASE)
_WHOLE_DOCUMENTS = frozenset({"dte", "schema", "response"})


def credit_memo_of(plain: Mapping[str, Any], document_id: str) -> CreditMemo | None:
    """The credit note that an invalidation made instead, wherever the answer names it; None where it made none.

    The keys of its ids are documented nowhere (provider.md 10): a UUID is taken that is not the cancelled document's
    own, first of those under a name that speaks of a note.
    """
    if plain.get("created_credit_memo") is not True:
        return None
    texts = list(_texts_in(plain, "", 4))
    others = [(path, text) for path, text in texts if _UUID.fullmatch(text) and text.lower() != document_id.lower()]
    named = [text for path, text in others if _OF_A_MEMO.search(path)] or [text for _, text in others]
    stamps = [text for path, text in texts if _OF_A_MEMO.search(path) and path.endswith(("stamp", "sello"))]
    memo_id = next((text for text in named if text != text.upper()), named[0] if named else "")
    return CreditMemo(
        document_id=memo_id.lower(),
        control_number=next((text for _, text in texts if _MEMO_NUMBER.fullmatch(text)), ""),
        generation_code=memo_id.upper(),
        reception_stamp=stamps[0] if stamps else "",
    )


def _texts_in(plain: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Every text of an answer with the names that lead to it, whole documents left out."""
    match plain:
        case str():
            yield path, remove_keys(plain.strip())[:_LONGEST_TEXT]
        case dict() if depth:
            for name, value in plain.items():
                if name not in _WHOLE_DOCUMENTS:
                    yield from _texts_in(value, f"{path}.{name}", depth - 1)
        case list() if depth:
            for value in plain:
                yield from _texts_in(value, path, depth - 1)


def activity_in(body: bytes) -> str:
    """The issuer's activity code in a canonical body; empty where the company's own applies."""
    return str(json.loads(body).get("activity_code", ""))


def compare(issued: bytes, now: bytes) -> tuple[tuple[str, str, str], ...]:
    """What differs between two canonical bodies: (what, issued, now), lines counted from 1."""
    before, after = _flat(json.loads(issued, parse_float=Decimal)), _flat(json.loads(now, parse_float=Decimal))
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        (name, before.get(name, ""), after.get(name, "")) for name in names if before.get(name) != after.get(name)
    )


_PEOPLE = ("customer", "subject")


def _flat(body: Mapping[str, Any]) -> dict[str, str]:
    flat = {name: str(value) for name, value in body.items() if name not in ("lines", *_PEOPLE)}
    for person in _PEOPLE:
        flat.update((f"{person}.{name}", str(value)) for name, value in body.get(person, {}).items())
    for number, line in enumerate(body.get("lines", ()), 1):
        flat.update((f"lines[{number}].{name}", str(value)) for name, value in line.items())
    return flat
