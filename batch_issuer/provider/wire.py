"""Documents to the provider's JSON and its answers back to values.

The names of its JSON are spoken here; its flags in `classify`, the ministry's own names in `contents` and `files`.

The bytes that are sent are canonical (fixed order, exact decimals), so that their digest is the fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
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
    """Return the body of the POST that issues a document, canonical: the same content gives the same bytes.

    Only fields that the provider documents for the type are sent (`doc_types` of each field).

    Raises:
        ValueError: for a credit note without a CCF, or that says neither lines nor full adjustment: the provider
            would credit the whole CCF.
    """
    match document.doc_type:
        case "05":
            fields = _credit_note(document)
        case "14":
            # No type, payment or term, and lines without discounts (provider.md 9).
            subject = document.customer or Customer(name=document.customer_name)
            lines = [_undiscounted(line, with_vat=True, services=True) for line in document.lines]
            fields = [_customer("subject", subject, "14"), *_plain(document, Owner.DOCUMENT, "14"), _lines(lines)]
        case _:
            fields = _sale(document)
    text = "{" + ",".join([_member("external_ref", document.external_ref), *fields]) + "}"
    return text.encode("utf-8", "backslashreplace")


def person_in(body: bytes) -> Mapping[str, str]:
    """Return what a canonical body says of the customer or subject, by the provider's names; empty without one."""
    plain = json.loads(body)
    return next(({name: str(value) for name, value in plain[key].items()} for key in _PEOPLE if key in plain), {})


def person(customer: Customer) -> Mapping[str, str]:
    """Return what a body would say of a customer who is not sent yet, by the provider's names."""
    fields = _PLAIN[Owner.CUSTOMER, "01"]
    return {one.wire: value for one in fields if (value := getattr(customer, one.attribute))}


def credits_all(body: bytes) -> bool:
    """Whether the canonical body of a credit note credits the whole CCF."""
    return json.loads(body).get("full_adjustment") is True


def named(plain: Mapping[str, Any], id_or_ref: str) -> str:
    """Return the reference that an answer must have: the answer's own where the id that it names was asked for."""
    document_id, reference = plain.get("document_id"), plain.get("external_ref")
    if isinstance(document_id, str) and document_id.lower() == id_or_ref.lower() and isinstance(reference, str):
        return reference
    return id_or_ref


def content_of(body: bytes) -> bytes:
    """Return a canonical body without its reference: what two bodies of the same sale have in common."""
    _, _, content = body.partition(b',"')
    return content.removeprefix(b'doc_type"')


def _sale(document: Document) -> list[str]:
    """Return what follows the reference in the body of `POST /invoice`: 01, 03 and 11 (provider.md 5 to 7)."""
    kind, lines = document.doc_type, document.lines
    with_vat = document.prices_with_vat or kind in WITHOUT_VAT
    members = [_member("doc_type", kind)]
    if document.customer:
        members.append(_customer("customer", document.customer, kind))
    elif document.customer_name:
        members.append(_member("customer_name", document.customer_name))
    if with_vat and not any(map(_discount, lines)):
        # Lines at their own prices; half a million of them are most of what encoding takes.
        texts, numbers = _TEXTS, _NUMBERS
        written = [
            f'{{"description":{texts[description]},"quantity":{numbers[quantity]},"unit_price":{numbers[price]}}}'
            for description, quantity, price, _, _, _ in lines
        ]
    else:
        written = [_line(line, with_vat=with_vat) for line in lines]
    return [*members, *_plain(document, Owner.DOCUMENT, kind), _lines(written)]


def _credit_note(document: Document) -> list[str]:
    """Return the same of `POST /credit-memo`: 05; what is credited is said, lines or all of it (provider.md 8)."""
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
    """Return the digest of a canonical body, in hexadecimal: what was said about the sale."""
    return hashlib.sha256(body).hexdigest()


def path_of(external_ref: str) -> str:
    """Return a reference as one segment of a URL path; what could mean something there is encoded."""
    encoded = quote(external_ref, safe="")
    # «.» and «..» are names of folders, which clients and servers take out of a path.
    return encoded.replace(".", "%2E") if set(external_ref) <= {"."} else encoded


_text = json.encoder.encode_basestring


def _member(name: str, value: str) -> str:
    return f'"{name}":{_text(value)}'


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


_discount = attrgetter("discount_percentage")


def _line(line: Line, *, with_vat: bool) -> str:
    text = _sold(line, line.unit_price, with_vat=with_vat)
    if line.discount_percentage:
        text += f',"discount_percentage":{_number(line.discount_percentage)}'
    return text + "}"


def _undiscounted(line: Line, *, with_vat: bool, services: bool = False) -> str:
    """Return a line where no discount is documented: the price is sent with it taken off, to the last decimal."""
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
    """Return the text without `?key=…` and without anything that looks like an API key."""
    if "=" not in text and "odt" not in text.lower():
        return text  # most texts of an answer
    return _KEY.sub("odt_…", _KEY_IN_URL.sub(lambda found: found[1] if found[0][-1] in "&;" else "", text))


def decode(content: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object of an answer, or None where the content is something else."""
    plain = decode_any(content)
    return plain if isinstance(plain, dict) else None


def decode_any(content: bytes) -> object:
    """Return the JSON of an answer, or None where the content is no JSON, or holds numbers beyond all bounds."""
    try:
        return _EXACT.decode(content.decode(json.detect_encoding(content), "surrogatepass"))
    except (ValueError, InvalidOperation, RecursionError):
        return None


_EXACT = json.JSONDecoder(parse_float=Decimal)


def read_answer(plain: Mapping[str, Any] | None, http_status: int) -> Answer:
    """Return what an answer says, every field optional and of any type; keys are removed from every text."""
    plain = plain or {}
    observed = plain.get("observaciones")
    observed = observed if isinstance(observed, list) else [observed]  # a list, or one text (provider.md 15b)
    return Answer(
        http_status=http_status,
        doc_type=_said(plain, "doc_type"),
        document_id=_said(plain, "document_id"),
        control_number=_said(plain, "control_number"),
        generation_code=_said(plain, "generation_code"),
        reception_stamp=_said(plain, "reception_stamp"),
        amounts=Amounts(
            **{
                name: next((amount for key in keys if (amount := read_amount(plain, key)) is not None), None)
                for name, keys in _AMOUNTS.items()
            }
        ),
        is_duplicate=plain.get("is_duplicate") is True,
        dte_state=_said(plain, "dte_state"),
        dte_message=_said(plain, "dte_message"),
        codigo_msg=_said(plain, "codigo_msg"),
        observaciones=tuple(text for one in observed if (text := _detail(one))),
        detail=_detail(plain.get("detail")),
        **_whose(plain),
    )


ENVIRONMENTS: Mapping[str, str] = MappingProxyType({"00": "test", "01": "production"})
"""`identificacion.ambiente` (CAT-001)."""


def _whose(plain: Mapping[str, Any]) -> dict[str, str]:
    """Return who issued, and where, of an answer that carries the document itself (provider.md 4 and 11)."""
    issuer = environment = ""
    for name in ("dte", "schema"):
        document = plain.get(name)
        if not isinstance(document, dict):
            continue
        said = {key: one for key in ("emisor", "identificacion") if isinstance(one := document.get(key), dict)}
        nit, code = said.get("emisor", {}).get("nit"), said.get("identificacion", {}).get("ambiente")
        digits = digits_of(nit.strip()) if isinstance(nit, str) else ""
        if len(digits) in NIT_LENGTHS:
            issuer = issuer or digits
        if isinstance(code, str):
            environment = environment or ENVIRONMENTS.get(code, "")
    return {"issuer_nit": issuer, "environment": environment}


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


def read_amount(plain: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a number, or a number that is a text; None for everything else and beyond all bounds."""
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


def _detail(value: object, depth: int = 9) -> str:
    """Return an error as one text; it may be a text, a list or an object (provider.md 15b)."""
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
    """Return the credit note that an invalidation made instead, wherever the answer names it, or None.

    The keys of its ids are documented nowhere (provider.md 10): a UUID is taken that is not the cancelled document's
    own, first of those under a name that speaks of a note.
    """
    if plain.get("created_credit_memo") is not True:
        return None
    texts = list(_texts_in(plain, "", 4))
    others = [(path, text) for path, text in texts if _UUID.fullmatch(text) and text.lower() != document_id.lower()]
    stamps = [text for path, text in texts if _OF_A_MEMO.search(path) and path.endswith(("stamp", "sello"))]
    # One in capital letters may be the generation code instead of the id, so it comes last.
    _, memo_id = min(
        others,
        key=lambda named: (not _OF_A_MEMO.search(named[0]), named[1] == named[1].upper()),
        default=("", ""),
    )
    return CreditMemo(
        document_id=memo_id.lower(),
        control_number=next((text for _, text in texts if _MEMO_NUMBER.fullmatch(text)), ""),
        generation_code=memo_id.upper(),
        reception_stamp=stamps[0] if stamps else "",
    )


def _texts_in(plain: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield every text of an answer with the names that lead to it, whole documents left out."""
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
    """Return the issuer's activity code in a canonical body; empty where the company's own applies."""
    return str(json.loads(body).get("activity_code", ""))


def compare(issued: bytes, now: bytes) -> tuple[tuple[str, str, str], ...]:
    """Return what differs between two canonical bodies: (what, issued, now), lines counted from 1."""
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
