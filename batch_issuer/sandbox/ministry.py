"""The ministry behind the provider: whether it answers, and what it says about the data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from batch_issuer.sandbox import catalogs
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.store import Record, Standing, Verdict

_EMAIL = re.compile(
    r"[^\s@<>(),;:\"\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
)
_LONGEST_EMAIL = 100
_NO_DOMAINS = (".invalida", ".invalid", ".localhost")
"""Ends of addresses that no mail reaches: the sample sales use them to be refused."""
_NRC = re.compile(r"[0-9]{1,7}-?[0-9]")
_NOT_DIGIT = re.compile(r"[\s-]")
MEANINGS = {
    "001": "Recibido",
    "002": "Recibido con observaciones",
    "004": "Código de generación ya procesado",
    "005": "Emisor no autorizado",
    "006": "Firma inválida o vencida",
    "089": "Código de actividad económica inválido",
    "092": "Tipo de documento del receptor inválido",
    "094": "Número de documento del receptor inválido",
    "095": "NRC del receptor inválido o inexistente",
    "096": "El JSON no cumple el esquema",
    "097": "Fecha de emisión inválida",
    "098": "El total no coincide con la suma de las líneas",
    "099": "La retención no corresponde a la regla",
}
"""`codigo_msg` and its meaning (provider.md 4.1)."""


def answers(record: Record, options: SandboxOptions, silenced: int) -> bool:
    """Whether the ministry answers for this document; `silenced` documents were ordered silent before it."""
    if options.contingency_count is not None and silenced >= options.contingency_count:
        return True
    if options.contingency or like(record.ref, options.contingency_refs):
        return False
    return not chosen(record.ref, "contingency", options.contingency_share, options.seed)


def judge(record: Record, options: SandboxOptions) -> Verdict:
    """Return what the ministry says when it answers."""
    if record.refused_digest in ("", record.digest) and ordered_rejection(record, options):
        return rejected_to_order(options)
    if options.ministry_checks and (found := next(_faults_of(record, options), None)):
        return _rejected(*found, options)
    if like(record.ref, options.observed_refs):
        note = "El valor del campo #/resumen/totalNoGravado debe ser tipo numero"
        return Verdict(
            standing=Standing.STAMPED, state="OBSERVADO", message=MEANINGS["002"], code="002", observations=(note,)
        )
    return Verdict(standing=Standing.STAMPED)


def resolve(record: Record, options: SandboxOptions) -> Verdict:
    """Return what the ministry says in the end about a document in contingency."""
    if like(record.ref, options.resolve_rejected_refs) or chosen(
        record.ref, "resolved", options.resolve_rejected_share, options.seed
    ):
        return rejected_to_order(options)
    return judge(record, options)


def rejected_to_order(options: SandboxOptions) -> Verdict:
    """Return a refusal that nothing in the data explains."""
    code = options.rejected_code
    return _rejected(code, f"Rechazo ordenado: {MEANINGS.get(code, 'Rechazado')}", options)


def _rejected(code: str, observation: str, options: SandboxOptions) -> Verdict:
    """Return a refusal with the ministry's code and what it observed."""
    return Verdict(
        standing=Standing.REJECTED,
        state=options.rejected_state,
        message=MEANINGS.get(code, "Rechazado"),
        code=code,
        observations=(observation,),
    )


def ordered_rejection(record: Record, options: SandboxOptions) -> bool:
    """Whether a rejection was ordered for this reference."""
    return like(record.ref, options.rejected_refs) or chosen(
        record.ref, "rejected", options.rejected_share, options.seed
    )


def like(ref: str, patterns: tuple[str, ...]) -> bool:
    """Whether the reference matches one of the patterns."""
    return any(fnmatchcase(ref, pattern) for pattern in patterns)


def chosen(ref: str, purpose: str, share: float, seed: int) -> bool:
    """Whether this reference falls into a share; the same for every order of requests."""
    if share <= 0:
        return False
    digest = hashlib.blake2b(f"{seed}:{purpose}:{ref}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 < share


def _faults_of(record: Record, options: SandboxOptions) -> Iterator[tuple[str, str]]:
    """Yield each fault of the data, as `codigo_msg` and its words, in the order in which the ministry looks."""
    recipient, sale = record.recipient, record.sale
    numbered = recipient.get("nit") or recipient.get("dui") or options.subject_number == "optional"
    needed = {"14": ("sujetoExcluido/numDocumento", numbered), "03": ("receptor/nrc", recipient.get("nrc"))}
    place, given = needed.get(sale.doc_type, ("", True))
    if not given:
        yield "096", f"Campo #/{place} es requerido"
    for name, fits, code, words in _OF_RECIPIENTS:
        if (value := recipient.get(name)) and not fits(value):
            yield code, f"Campo #/receptor/{words}"
    if sale.activity_code and not catalogs.has_activity(sale.activity_code):
        yield "089", "Campo #/emisor/codActividad no existe en el catálogo"
    if not catalogs.has_payment_method(sale.payment_method):
        yield "096", "Campo #/resumen/pagos/0/codigo no existe en el catálogo"


def is_email(text: str) -> bool:
    """Whether the ministry takes the address: its form, and a top-level domain that can exist (domain.md 2)."""
    if text.lower().endswith(_NO_DOMAINS):
        return False
    return len(text) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None


def is_nit(text: str) -> bool:
    """Whether 14 digits end in their check digit, or 9 are a DUI in the NIT's place."""
    digits = _digits(text)
    if len(digits) == 9:
        return is_dui(text)
    if len(digits) != 14:
        return False
    # The ministry publishes no algorithm (domain.md 2); the one in use has other weights for serial numbers up to 100.
    if int("".join(map(str, digits[10:13]))) <= 100:
        check = sum(digit * weight for digit, weight in zip(digits, range(14, 1, -1), strict=False)) % 11
    else:
        weights = (2, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
        check = -sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % 11
    return check % 10 == digits[13]


def is_dui(text: str) -> bool:
    """Whether 9 digits end in their check digit."""
    digits = _digits(text)
    if len(digits) != 9:
        return False
    return -sum(digit * weight for digit, weight in zip(digits, range(9, 1, -1), strict=False)) % 10 == digits[8]


def _digits(text: str) -> tuple[int, ...]:
    """Return the digits of a number written with or without hyphens; none where it has anything else."""
    bare = _NOT_DIGIT.sub("", text)
    return tuple(int(digit) for digit in bare) if bare.isascii() and bare.isdecimal() else ()


_OF_RECIPIENTS: tuple[tuple[str, Callable[[str], object], str, str], ...] = (
    ("nrc", _NRC.fullmatch, "095", "nrc no cumple el formato requerido"),
    ("nit", is_nit, "094", "nit no es un número válido"),
    ("dui", is_dui, "094", "numDocumento no es un número válido"),
    ("email", is_email, "096", "correo no cumple el formato requerido"),
    ("document_type", catalogs.has_document_type, "092", "tipoDocumento no existe en el catálogo"),
    ("activity_code", catalogs.has_activity, "089", "codActividad no existe en el catálogo"),
)
"""What the ministry demands of a recipient: the field, whether a value fits, and the words where it does not."""
