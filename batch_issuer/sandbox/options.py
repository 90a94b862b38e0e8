"""How the sandbox behaves: one frozen value, each field with its help, so that nothing about it is hidden in code.

The provider's pages leave much unsaid. What they say is the default; what they do not say is an option with every
plausible value, so that a client can be tried against all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal

from batch_issuer.messages import N_

Environment = Literal["00", "01"]
SAMPLE_KEY = "odt_xxx"
"""The key that the provider's pages print; accepted while no keys are configured."""


def about(text: str, section: str) -> Mapping[str, str]:
    """Return help of one option, and the section of `provider.md` that it plays."""
    return MappingProxyType({"help": text, "section": section})


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key, and the company that it belongs to."""

    key: str = field(repr=False)
    company: str
    environment: Environment = "00"
    nit: str = ""
    """Of the issuer; empty: one that is made of the company's name."""

    @classmethod
    def read(cls, value: Any) -> Key:
        """Read `KEY=COMPANY[:ENVIRONMENT[:NIT]]`, or an object of the fields. Raises `ValueError` or `TypeError`."""
        if isinstance(value, str):
            key, _, company = value.partition("=")
            name, _, rest = company.partition(":")
            environment, _, nit = rest.partition(":")
            value = {"key": key, "company": name, "environment": environment or "00", "nit": nit}
        found = cls(**value)
        if not found.key or not found.company or found.environment not in ("00", "01"):
            raise ValueError(found)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """Everything that can be ordered about the sandbox; the defaults are the documented behaviour."""

    # Keys
    keys: tuple[Key, ...] = field(
        default=(),
        metadata=about(
            N_("Accepted keys as KEY=COMPANY:00|01[:NIT]; without any, every well-formed key is a company."), "2"
        ),
    )
    disabled_keys: tuple[str, ...] = field(
        default=(), metadata=about(N_("Keys that were deactivated in the provider's panel: 401."), "2")
    )
    environment: Environment = field(
        default="00",
        metadata=about(N_("Environment of companies whose key is not configured: 00 test, 01 production."), "1"),
    )
    key_in_query: bool = field(default=True, metadata=about(N_("File downloads also take the key as ?key=."), "2"))

    # Quota
    minute_limit: int | None = field(
        default=120, metadata=about(N_("Requests per key and minute; none is no limit and no headers."), "14.4")
    )
    hour_limit: int | None = field(
        default=5000, metadata=about(N_("Requests per key and hour; none is no limit and no headers."), "14.4")
    )
    minute_seconds: float = field(default=60.0, metadata=about(N_("Length of the minute window, in seconds."), "14.4"))
    hour_seconds: float = field(default=3600.0, metadata=about(N_("Length of the hour window, in seconds."), "14.4"))
    window: Literal["fixed", "first", "sliding"] = field(
        default="fixed",
        metadata=about(
            N_("Windows start with the clock's minute (fixed), with the first request (first), or slide (sliding)."),
            "14.4",
        ),
    )
    reset_rounding: Literal["ceil", "floor", "fraction"] = field(
        default="ceil", metadata=about(N_("Rounding of X-RateLimit-Reset and Retry-After."), "14.4")
    )
    hour_retry_after: Literal["hour", "minute"] = field(
        default="hour", metadata=about(N_("Window that Retry-After spans when the hour is used up."), "14.4")
    )
    refused_count: bool = field(
        default=False, metadata=about(N_("Requests refused with 429 use up quota too."), "14.4")
    )
    others_per_second: float = field(
        default=0.0, metadata=about(N_("Requests a second that other programs make with the same key."), "14.4")
    )

    # Amounts
    rounding: Literal["document", "line"] = field(
        default="document", metadata=about(N_("Amounts are rounded once per document or on every line."), "5")
    )
    retention_rule: Literal["at-least", "above"] = field(
        default="at-least",
        metadata=about(
            N_("The 1 % is withheld at a taxable base of exactly 100.00 (at-least), or only above it."), "6"
        ),
    )
    decimals: int | None = field(
        default=None, metadata=about(N_("Decimals kept of quantities and prices; none keeps them all."), "5")
    )

    # Retry and idempotency
    rejected_success: bool = field(default=False, metadata=about(N_("Value of success when rejected."), "4"))
    rejected_posted: bool = field(default=False, metadata=about(N_("Value of posted when rejected."), "4"))
    contingency_repost: Literal["original", "resend", "error409"] = field(
        default="original",
        metadata=about(
            N_("A second POST of a document in contingency: the original, the record reused and sent again, or 409."),
            "14.3",
        ),
    )
    cancelled_repost: Literal["original", "resend", "error409"] = field(
        default="original", metadata=about(N_("A second POST of an invalidated document."), "14.3")
    )
    resend_is_duplicate: bool = field(
        default=False, metadata=about(N_("Value of is_duplicate when the record is reused and sent again."), "14.3")
    )
    keep_generation_code: bool = field(
        default=True, metadata=about(N_("The generation code is kept when the record is sent again."), "14.3")
    )
    simultaneous: Literal["serialise", "error409"] = field(
        default="serialise",
        metadata=about(N_("A POST of a reference that is being registered waits, or gets 409."), "14.3"),
    )
    validate_first: bool = field(
        default=True, metadata=about(N_("A second POST is validated before the original is looked up."), "14.3")
    )

    # References
    long_ref: Literal["error400", "truncated", "accepted"] = field(
        default="error400", metadata=about(N_("A reference of more than 100 characters."), "3.1")
    )
    ref_case_sensitive: bool = field(default=True, metadata=about(N_("References differ by case."), "3.1"))
    shared_namespace: bool = field(
        default=False, metadata=about(N_("Sales and purchases (14) share one space of references."), "3.1")
    )
    encoded_slash: Literal["accepted", "not-found"] = field(
        default="accepted",
        metadata=about(N_("A reference with %2F in a path: looked up, or 404 like an unknown route."), "3.1"),
    )
    control_number_in_path: bool = field(
        default=False, metadata=about(N_("The control number is taken in paths like the UUID."), "3.1")
    )

    # Answers
    generation: Literal["current", "flags", "first"] = field(
        default="current",
        metadata=about(
            N_("Older API: without invoice_url (flags), also without the later flags and diagnostics (first)."), "4"
        ),
    )
    omitted: tuple[str, ...] = field(default=(), metadata=about(N_("Fields left out of every answer."), "4"))
    status_omitted: tuple[str, ...] = field(
        default=(), metadata=about(N_("Fields left out of status answers, such as success or is_duplicate."), "11")
    )
    absent: Literal["text", "null", "omitted"] = field(
        default="text", metadata=about(N_("Absent values are empty text, null, or left out."), "4")
    )
    extra_fields: bool = field(default=False, metadata=about(N_("Answers carry fields that no page mentions."), "4"))
    document_in_answer: bool = field(
        default=True, metadata=about(N_("Answers to a stamped issue carry the whole signed document as dte."), "4")
    )
    urls_with_key: bool = field(
        default=False, metadata=about(N_("File addresses in answers end in ?key= and the key."), "4")
    )
    cancelled_marker: Literal["invalidated", "dte_state", "none"] = field(
        default="invalidated", metadata=about(N_("How a status answer shows that the document was invalidated."), "11")
    )
    json_file: Literal["jws", "document"] = field(
        default="jws", metadata=about(N_("The JSON file is a bare JWS, or a JSON document that contains one."), "14.1")
    )
    json_media_type: str = field(
        default="application/json", metadata=about(N_("Content type of the JSON file."), "14.1")
    )
    detail_shape: Literal["text", "list", "object"] = field(
        default="text", metadata=about(N_("Shape of detail in a 400."), "15b")
    )
    error_shape: Literal["text", "list", "object", "error", "html", "empty"] = field(
        default="text", metadata=about(N_("Shape of the body of 401, 404, 405, 409 and 5xx."), "15b")
    )
    schema_error_status: Literal[400, 422] = field(
        default=400, metadata=about(N_("Status for a body of the wrong shape or types."), "15b")
    )
    unknown_fields: Literal["ignored", "refused"] = field(
        default="ignored", metadata=about(N_("Fields that no page mentions are ignored or refused."), "5")
    )
    ccf_without_nrc: Literal["rejected", "error400"] = field(
        default="rejected",
        metadata=about(N_("A CCF without NRC is rejected by the ministry or refused with 400."), "4.1"),
    )
    max_lines: int | None = field(default=2000, metadata=about(N_("Lines that a document may have."), "5"))

    # The ministry
    ministry_checks: bool = field(
        default=True, metadata=about(N_("The ministry looks at the data: e-mail, NIT, DUI, NRC, codes."), "4.1")
    )
    contingency: bool = field(default=False, metadata=about(N_("The ministry does not answer at all."), "14.2"))
    contingency_refs: tuple[str, ...] = field(
        default=(), metadata=about(N_("The ministry does not answer for references like these (* and ?)."), "14.2")
    )
    contingency_share: float = field(
        default=0.0, metadata=about(N_("Share of documents for which the ministry does not answer, 0 to 1."), "14.2")
    )
    contingency_count: int | None = field(
        default=None, metadata=about(N_("Documents after which the ordered contingency is over."), "14.2")
    )
    resolve_after_seconds: float | None = field(
        default=None, metadata=about(N_("Seconds after which the provider's worker settles a contingency."), "14.2")
    )
    resolve_after_queries: int | None = field(
        default=None,
        metadata=about(N_("Status answers after which the provider's worker settles a contingency."), "14.2"),
    )
    resolve_rejected_refs: tuple[str, ...] = field(
        default=(), metadata=about(N_("Contingencies with references like these end rejected."), "14.2")
    )
    resolve_rejected_share: float = field(
        default=0.0, metadata=about(N_("Share of contingencies that end rejected, 0 to 1."), "14.2")
    )
    rejected_refs: tuple[str, ...] = field(
        default=(), metadata=about(N_("References like these are rejected until their content changes."), "4.1")
    )
    rejected_share: float = field(
        default=0.0, metadata=about(N_("Share of documents rejected until their content changes, 0 to 1."), "4.1")
    )
    rejected_state: Literal["RECHAZADO", "OBSERVADO"] = field(
        default="RECHAZADO", metadata=about(N_("dte_state of a rejection."), "4.1")
    )
    rejected_code: str = field(default="096", metadata=about(N_("codigo_msg of an ordered rejection."), "4.1"))
    observed_refs: tuple[str, ...] = field(
        default=(), metadata=about(N_("References like these are stamped with observations (OBSERVADO)."), "4.1")
    )

    # Invalidation
    invoice_days: int = field(
        default=90, metadata=about(N_("Business days in which an 01 or a note can be invalidated."), "10")
    )
    ccf_days: int = field(
        default=1, metadata=about(N_("Days after the day of issue in which a CCF is invalidated directly."), "10")
    )
    unstamped_invalidation: Literal["error409", "error400", "accepted"] = field(
        default="error409", metadata=about(N_("Invalidating a document without stamp."), "10")
    )
    cancel_answer: Literal["flags", "marked", "own-stamp", "bare"] = field(
        default="flags",
        metadata=about(
            N_(
                "What an invalidation answers: the flags with its stamp, a mark instead of them, the flags with the "
                "document's own stamp, or success alone."
            ),
            "10",
        ),
    )
    cancel_repeat: Literal["same", "error409"] = field(
        default="same", metadata=about(N_("A second invalidation: the same answer again, or 409."), "10")
    )
    memo_keys: Literal["flat", "nested", "in-place"] = field(
        default="flat",
        metadata=about(
            N_("Where an answer names the credit note that it wrote: beside, in an object, or as its own document."),
            "10",
        ),
    )
    memo_with_both: Literal["error400", "lines", "full"] = field(
        default="error400",
        metadata=about(N_("A credit note with lines and full_adjustment: 400, or which one counts."), "8"),
    )
    memo_prices: Literal["with-vat", "without-vat"] = field(
        default="with-vat", metadata=about(N_("Prices of a credit note's lines include VAT like a CCF's, or not."), "8")
    )
    memo_retention: bool = field(
        default=False, metadata=about(N_("A credit note takes back the 1 % that was withheld of its CCF."), "8")
    )
    amount_names: Literal["amount", "short", "schema", "none"] = field(
        default="amount",
        metadata=about(
            N_(
                "Names of the amounts in answers about 05 and 14: as for sales, without amount_, as in the ministry's "
                "schema, or no amounts at all."
            ),
            "9",
        ),
    )
    subject_number: Literal["optional", "rejected", "error400"] = field(
        default="optional", metadata=about(N_("A purchase (14) whose subject has neither DUI nor NIT."), "9")
    )

    # The service itself
    latency: float = field(default=0.0, metadata=about(N_("Seconds that issuing takes."), "5"))
    read_latency: float = field(default=0.0, metadata=about(N_("Seconds that every other request takes."), "11"))
    while_issuing: Literal["pending", "absent"] = field(
        default="pending",
        metadata=about(
            N_("What a status query sees while the ministry is being asked: registered without stamp, or 404."), "14.2"
        ),
    )
    keepalive_seconds: float = field(
        default=75.0, metadata=about(N_("Idle seconds after which a connection is closed."), "1")
    )
    max_body: int = field(default=16 * 1024 * 1024, metadata=about(N_("Largest request body, in bytes."), "15b"))
    point: str = field(
        default="M001P001", metadata=about(N_("Establishment and point of sale in control numbers."), "3.1")
    )
    first_number: int = field(default=1, metadata=about(N_("First control number of every type."), "3.1"))
    seed: int = field(default=0, metadata=about(N_("Seed of UUIDs, stamps and every share."), "3.1"))

    def as_json(self) -> dict[str, Any]:
        """Return every option by name; keys are not shown."""
        shown = {option.name: getattr(self, option.name) for option in fields(self)}
        return shown | {
            "keys": [{"company": key.company, "environment": key.environment} for key in self.keys],
            "disabled_keys": len(self.disabled_keys),
        }


def described() -> Mapping[str, str]:
    """Return every option's name with its help, as a catalog text."""
    return {option.name: option.metadata["help"] for option in fields(SandboxOptions)}
