"""The register: gives every POST its record, asks the ministry, and keeps what it says.

It never holds two documents for one reference of a company, and it notes every POST that would have made one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from batch_issuer.model.documents import Amounts
from batch_issuer.sandbox import ministry
from batch_issuer.sandbox.amounts import amounts_of
from batch_issuer.sandbox.files import written
from batch_issuer.sandbox.keys import Account
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.payload import CUSTOMER_DEFAULTS, Reader, Refused, Sale
from batch_issuer.sandbox.store import Customer, Record, Standing, Store, Verdict, Violation

_STANDING = frozenset({Standing.STAMPED, Standing.CANCELLED})
_VOID = frozenset({Standing.REJECTED, Standing.CANCELLED})
_KIND_OF_REPEAT = {
    Standing.PENDING: "post-while-registering",
    Standing.STAMPED: "post-on-stamped",
    Standing.CONTINGENCY: "post-on-contingency",
    Standing.REJECTED: "post-on-rejected-unchanged",
    Standing.CANCELLED: "post-on-cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What became of a POST in the register."""

    record: Record
    duplicate: bool
    to_send: bool
    """The ministry has still to be asked."""


class Busy(Exception):  # noqa: N818 - a turn to wait for
    """The reference is being registered by another request."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.ref)
        self.record = record


class Register:
    """The documents of every company, under options that may be changed while it runs."""

    def __init__(self, options: SandboxOptions, store: Store, clock: Callable[[], float]) -> None:
        self.options = options
        self.store = store
        self.clock = clock
        self.violations: list[Violation] = []
        self._started = clock()
        self._silenced = 0

    def register(
        self, route: str, account: Account, payload: Mapping[str, Any], digest: str, *, waited: bool = False
    ) -> Posting:
        """Give the POST its record: a new one, the original, or the old one reused.

        A POST that `waited` for its turn was counted and noted when it came.
        Raises `Refused`, or `Busy` while another request registers the same reference.
        """
        reader = Reader(self.options)
        ref, family = reader.ref(payload), "purchase" if route == "suex" else "sale"
        known = self.store.by_ref(account.company, family, ref) if ref else None
        # Whether a repeat is recognised before its content is looked at is not said (provider.md 14.3).
        if known is not None and not self.options.validate_first:
            known = self.settled(known)
            if known.standing in _STANDING:
                return self._again(known, None, digest, waited=waited)
        match route:
            case "suex":
                sale = reader.purchase(payload)
            case "credit-memo":
                sale = self._adjusting(account, reader.memo(payload))
            case _:
                sale = reader.sale(payload)
        if known is not None:
            return self._again(self.settled(known), sale, digest, waited=waited)
        return Posting(record=self._create(account, sale, digest), duplicate=False, to_send=True)

    def send(self, record: Record) -> Record:
        """Ask the ministry about a registered document, and keep what it says."""
        record = self.store.current(record)
        if not ministry.answers(record, self.options, self._silenced):
            self._silenced += 1
            return self._settle(record, Verdict(standing=Standing.CONTINGENCY))
        return self._settle(record, ministry.judge(record, self.options))

    def hide(self, record: Record, seconds: float) -> Record:
        """Let a document appear only later, as a slow registration does."""
        return self.store.put(replace(record, visible_at=self.clock() + seconds))

    def settled(self, record: Record) -> Record:
        """Return the record after whatever the provider's worker has done by now."""
        if record.standing is not Standing.CONTINGENCY:
            return record
        seconds, queries = self.options.resolve_after_seconds, self.options.resolve_after_queries
        late = seconds is not None and self.clock() - (record.settled_at or 0) >= seconds
        if late or (queries is not None and record.queries >= queries):
            return self._settle(record, ministry.resolve(record, self.options))
        return record

    def resolve(self, patterns: tuple[str, ...], to: str) -> int:
        """Settle documents in contingency on command, `stamped` or `rejected`; return how many there were."""
        stamped = Verdict(standing=Standing.STAMPED)
        verdict = stamped if to == "stamped" else ministry.rejected_to_order(self.options)
        waiting = [
            record
            for record in self.store
            if record.standing is Standing.CONTINGENCY and ministry.like(record.ref, patterns)
        ]
        for record in waiting:
            self._settle(record, verdict)
        return len(waiting)

    def _create(self, account: Account, sale: Sale, digest: str) -> Record:
        number = self.store.next_number(account.company, sale.doc_type)
        control_number = f"DTE-{sale.doc_type}-{self.options.point}-{number:015}"
        document_id = _uuid(self.options.seed, account.company, control_number)
        recipient = self._recipient(account.company, sale)
        return self.store.put(
            Record(
                company=account.company,
                environment=account.environment,
                ref=sale.ref or document_id,
                doc_type=sale.doc_type,
                document_id=document_id,
                control_number=control_number,
                generation_code=document_id.upper(),
                sale=sale,
                recipient=recipient,
                amounts=amounts_of(sale, int(recipient.get("type_contributor", 1)), self.options),
                digest=digest,
                registered_at=self.clock(),
                adjusts=sale.adjusts,
            )
        )

    def _again(self, record: Record, sale: Sale | None, digest: str, *, waited: bool) -> Posting:
        """Answer a POST of a reference that is registered already, and note it. Raises `Refused` or `Busy`."""
        changed, hidden = digest != record.digest, record.is_hidden(self.clock())
        if not waited:
            record = self.store.put(replace(record, received=record.received + 1))
            seen = Standing.PENDING if hidden else record.standing
            # A rejected document may come again, corrected; any other POST would have made a second document.
            if seen is not Standing.REJECTED or not changed:
                self._note(_KIND_OF_REPEAT[seen], record, changed=changed)
        if hidden and self.options.simultaneous == "error409":
            raise Refused(409, "El documento se está procesando")
        if hidden:
            raise Busy(record)
        reactions = {
            Standing.REJECTED: "resend",
            Standing.CONTINGENCY: self.options.contingency_repost,
            Standing.CANCELLED: self.options.cancelled_repost,
        }
        match reactions.get(record.standing):
            case "error409":
                raise Refused(409, "El documento no admite un nuevo envío en su estado actual")
            case "resend" if sale is not None:
                return self._reuse(record, sale, digest)
        return Posting(record=record, duplicate=True, to_send=False)

    def _reuse(self, record: Record, sale: Sale, digest: str) -> Posting:
        """Put new content into a document that is sent again: its id and control number stay (provider.md 14.3)."""
        if sale.doc_type != record.doc_type:
            raise Refused(409, "doc_type no puede cambiar en un reenvío")
        code = record.generation_code  # preserved or not: the pages list what is, and leave this out
        if not self.options.keep_generation_code:
            code = _uuid(self.options.seed, record.company, f"{record.control_number}:{record.sends}").upper()
        recipient = self._recipient(record.company, sale)
        reused = replace(
            record,
            sale=sale,
            recipient=recipient,
            amounts=amounts_of(sale, int(recipient.get("type_contributor", 1)), self.options),
            digest=digest,
            generation_code=code,
            standing=Standing.PENDING,
            stamp="",
            cancelled_at=None,
            cancellation_stamp="",
        )
        return Posting(record=self.store.put(reused), duplicate=self.options.resend_is_duplicate, to_send=True)

    def reveal(self, record: Record) -> None:
        """Let a document that registers slowly appear now, because its turn was waited for."""
        self.store.put(replace(record, visible_at=0.0))

    def _settle(self, record: Record, verdict: Verdict) -> Record:
        """Keep what the ministry says of a document; a credit note over everything cancels its CCF with its stamp."""
        now = self.clock()
        stamped = verdict.standing is Standing.STAMPED
        refused = record.refused_digest
        if verdict.standing is Standing.REJECTED and not refused and ministry.ordered_rejection(record, self.options):
            refused = record.digest
        settled = self.store.put(
            replace(
                record,
                standing=verdict.standing,
                state=verdict.state,
                message=verdict.message,
                code=verdict.code,
                observations=verdict.observations,
                stamp=self.new_stamp(record, now, "issued") if stamped else "",
                settled_at=now,
                sends=record.sends + 1,
                queries=0,
                refused_digest=refused,
            )
        )
        if stamped and settled.sale.full_adjustment:
            ccf = self.store.find(settled.company, "sale", settled.adjusts)
            if ccf is not None:
                self.mark_cancelled(ccf, stamp=settled.stamp, memo=settled)
        return settled

    def visible(self, account: Account, families: tuple[str, ...], id_or_ref: str) -> Record:
        """Return the document that a path names, as far as the provider shows it by now. Raises `Refused` with 404."""
        for family in families:
            found = self.store.find(
                account.company, family, id_or_ref, control_numbers=self.options.control_number_in_path
            )
            if found is None or found.family not in families or found.visible_at > self.clock():
                continue
            if found.standing is Standing.PENDING and self.options.while_issuing == "absent":
                continue
            return self.settled(found)
        raise Refused(404, "Documento no encontrado")

    def _recipient(self, company: str, sale: Sale) -> Customer:
        if sale.adjusts and (adjusted := self.store.find(company, "sale", sale.adjusts)):
            return adjusted.recipient
        return {} if sale.customer is None else self.store.merge_customer(company, sale.customer, CUSTOMER_DEFAULTS)

    def new_stamp(self, record: Record, now: float, purpose: str) -> str:
        """Make a stamp of 40 characters that begins with the moment."""
        seed = f"{self.options.seed}:{record.generation_code}:{purpose}:{record.sends}"
        return written(int(now))[2] + hashlib.blake2b(seed.encode(), digest_size=13).hexdigest().upper()

    def note_cancelled_again(self, record: Record) -> None:
        """Note an invalidation of what is invalidated: a careful client asks first."""
        self._note("invalidate-on-cancelled", record, changed=False)

    def _note(self, kind: str, record: Record, *, changed: bool) -> None:
        at = round(self.clock() - self._started, 3)
        self.violations.append(Violation(kind=kind, company=record.company, ref=record.ref, at=at, changed=changed))

    def _adjusting(self, account: Account, sale: Sale) -> Sale:
        """Return a credit note with its CCF and lines. Raises `Refused` where what is left of the CCF allows none."""
        ccf = self.visible(account, ("sale",), sale.adjusts)
        if ccf.doc_type != "03":
            raise Refused(400, "Solo se puede ajustar un CCF (03)", "body", "document_id")
        if self.store.by_ref(account.company, "sale", sale.ref) is None and ccf.standing is not Standing.STAMPED:
            raise Refused(409, "El CCF no está vigente")
        adjusting = replace(sale, adjusts=ccf.document_id, lines=sale.lines or ccf.sale.lines)
        # Notes that were rejected or cancelled take nothing away from the CCF.
        memos = (memo for memo in self.store.adjusting(ccf) if memo.ref != sale.ref and memo.standing not in _VOID)
        credited = sum((_gross(memo.amounts) for memo in memos), Decimal(0))
        if credited + _gross(amounts_of(adjusting, 1, self.options)) > _gross(ccf.amounts):
            raise Refused(400, "El monto de la nota excede el del CCF", "body", "lines")
        return adjusting

    def replace_by_memo(self, account: Account, ccf: Record) -> Record:
        """Cancel a CCF by a credit note over all its lines; return the CCF."""
        sale = Sale(
            doc_type="05", ref="", lines=ccf.sale.lines, adjusts=ccf.document_id, full_adjustment=True, own_lines=False
        )
        memo = self.send(self._create(account, sale, ccf.digest))
        return self.mark_cancelled(ccf, stamp=memo.stamp, memo=memo)

    def mark_cancelled(self, record: Record, *, stamp: str, memo: Record | None = None) -> Record:
        """Cancel a document, by an event with this stamp or by a credit note; return it."""
        return self.store.put(
            replace(
                record,
                standing=Standing.CANCELLED,
                cancelled_at=self.clock(),
                cancellation_stamp=stamp,
                cancelled_by=memo.document_id if memo is not None else "",
            )
        )


def _gross(amounts: Amounts) -> Decimal:
    return amounts.gross or Decimal(0)


def _uuid(seed: int, company: str, name: str) -> str:
    """Make a UUID of version 4 that is the same for the same seed and name: runs can be compared."""
    digits = hashlib.blake2b(f"{seed}:{company}:{name}".encode(), digest_size=16).hexdigest()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
