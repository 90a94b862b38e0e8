"""Documents to the provider's JSON and its answers back to values. The only module that knows the JSON's names.

The bytes that are sent are canonical (fixed order, exact decimals), so that their digest is the fingerprint.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from batch_issuer.documents import VAT_RATE, Amounts, Customer, Document, Line
from batch_issuer.ledger.records import Answer, CreditMemo

_KEY_IN_URL = re.compile(r"([?&;])(?:(?:k|%[46]b)(?:e|%[46]5)(?:y|%[57]9)=[^&;#\s\"'<>]*[&;]?)+", re.IGNORECASE)
_KEY = re.compile(r"odt(?:_|%5f)[0-9a-z_.~+/=-]+", re.IGNORECASE)
_LONGEST_TEXT = 2000


def encode(document: Document) -> bytes:
    """The body of `POST /invoice`, canonical: the same content gives the same bytes."""
    with_vat = document.prices_with_vat or document.doc_type == "11"
    fields = [
        _member("external_ref", document.external_ref),
        _member("doc_type", document.doc_type),
        *(_customer(document.customer) if document.customer else _name(document.customer_name)),
        *_texts(document, ("payment_method", "activity_code", "redirect_email")),
        *_numbers(document, ("transaction_condition", "deadline", "period")),
        '"lines":[' + ",".join(_line(line, with_vat=with_vat) for line in document.lines) + "]",
    ]
    return ("{" + ",".join(fields) + "}").encode("utf-8", "backslashreplace")


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


def _name(name: str) -> list[str]:
    return [_member("customer_name", name)] if name else []


def _texts(values: object, names: tuple[str, ...]) -> list[str]:
    return [_member(name, value) for name in names if (value := getattr(values, name))]


def _numbers(values: object, names: tuple[str, ...]) -> list[str]:
    return [f'"{name}":{int(value)}' for name in names if (value := getattr(values, name))]


def _customer(customer: Customer) -> list[str]:
    fields = _texts(
        customer,
        (
            "name", "nit", "nrc", "dui", "document_type", "favorite_doc", "address", "activity_code", "district",
            "department", "municipality", "email", "phone",
        ),
    )  # fmt: skip
    fields += _numbers(customer, ("type_contributor",))
    return ['"customer":{' + ",".join(fields) + "}"]


def _line(line: Line, *, with_vat: bool) -> str:
    price = line.unit_price if with_vat else line.unit_price * (1 + VAT_RATE)
    text = (
        f'{{"description":{_text(line.description)},"quantity":{_number(line.quantity)},"unit_price":{_number(price)}'
    )
    if line.discount_percentage:
        text += f',"discount_percentage":{_number(line.discount_percentage)}'
    return text + "}"


@lru_cache(maxsize=65536)
def _number(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def remove_keys(text: str) -> str:
    """The text without `?key=…` and without anything that looks like an API key."""
    return _KEY.sub("odt_…", _KEY_IN_URL.sub(lambda found: found[1] if found[0][-1] in "&;" else "", text))


def decode(content: bytes) -> Mapping[str, Any] | None:
    """The JSON object of an answer, or None where the content is something else."""
    try:
        plain = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, dict) else None


def read_answer(plain: Mapping[str, Any] | None, http_status: int) -> Answer:
    """What an answer says, every field optional and of any type; keys are removed from every text."""
    plain = plain or {}
    return Answer(
        http_status=http_status,
        document_id=_said(plain, "document_id"),
        control_number=_said(plain, "control_number"),
        generation_code=_said(plain, "generation_code"),
        reception_stamp=_said(plain, "reception_stamp"),
        amounts=Amounts(
            taxable=_amount(plain, "amount_taxable"),
            vat=_amount(plain, "amount_vat"),
            gross=_amount(plain, "amount_gross"),
            retention=_amount(plain, "amount_retention"),
            total=_amount(plain, "amount_total"),
        ),
        is_duplicate=plain.get("is_duplicate") is True,
        dte_state=_said(plain, "dte_state"),
        dte_message=_said(plain, "dte_message"),
        codigo_msg=_said(plain, "codigo_msg"),
        observaciones=_observations(plain.get("observaciones")),
        detail=_detail(plain.get("detail")),
    )


def _said(plain: Mapping[str, Any], name: str) -> str:
    value = plain.get(name)
    if isinstance(value, str):
        return remove_keys(value.strip())[:_LONGEST_TEXT]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)[:_LONGEST_TEXT]
    return ""


def _amount(plain: Mapping[str, Any], name: str) -> Decimal | None:
    value = plain.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < Decimal(10) ** 15 else None


def _observations(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(text for item in value if (text := _detail(item)))
    return (text,) if (text := _detail(value)) else ()


def _detail(value: object) -> str:
    """An error text that may be a text, a list or an object (provider.md 15b)."""
    if value is None or value in ("", [], {}):
        return ""
    match value:
        case str():
            return remove_keys(value)[:_LONGEST_TEXT]
        case list():
            return "; ".join(text for item in value if (text := _detail(item)))[:_LONGEST_TEXT]
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


def environment_of(content: bytes) -> str:
    """`identificacion.ambiente` of a signed document, "00" or "01"; empty where it cannot be found.

    The file may be a bare compact JWS or a JSON document that is, or contains, one (provider.md 14.1).
    """
    text = content.decode("utf-8", "replace").strip().strip('"')
    plain: object = text
    if not _is_jws(text):
        try:
            plain = json.loads(content)
        except (ValueError, RecursionError):
            return ""
    return _environment_in(plain, depth=8)


def _environment_in(plain: object, depth: int) -> str:
    if depth == 0:
        return ""
    match plain:
        case {"identificacion": {"ambiente": str(ambiente)}}:
            return ambiente
        case dict():
            return next((found for part in plain.values() if (found := _environment_in(part, depth - 1))), "")
        case list():
            return next((found for part in plain if (found := _environment_in(part, depth - 1))), "")
        case str() if _is_jws(plain):
            return _environment_in(_payload(plain), depth - 1)
        case _:
            return ""


def _is_jws(text: str) -> bool:
    return text.count(".") == 2 and len(text) > 20 and re.fullmatch(r"[A-Za-z0-9_=.-]+", text) is not None


def _payload(jws: str) -> object:
    part = jws.split(".")[1]
    try:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None


def adjusted_by(body: bytes) -> str:
    """What the canonical body of a credit note adjusts: a reference or a UUID; empty for other bodies."""
    return str(json.loads(body).get("document_id", ""))


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


def _flat(body: Mapping[str, Any]) -> dict[str, str]:
    flat = {name: str(value) for name, value in body.items() if name not in ("lines", "customer")}
    flat.update((f"customer.{name}", str(value)) for name, value in body.get("customer", {}).items())
    for number, line in enumerate(body.get("lines", ()), 1):
        flat.update((f"lines[{number}].{name}", str(value)) for name, value in line.items())
    return flat
