"""The provider's other answers: status, files, invalidation, catalogs. No sockets here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from batch_issuer.sandbox import answers, catalogs, files
from batch_issuer.sandbox.answers import Addresses, Answer
from batch_issuer.sandbox.calendar import ccf_window_open, invoice_window_open
from batch_issuer.sandbox.keys import Account
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.payload import Refused
from batch_issuer.sandbox.register import Register
from batch_issuer.sandbox.store import Record, Standing

_FILE_TYPES = ("ticket", "invoice", "json")


class Api:
    """Answers from the register."""

    def __init__(self, register: Register) -> None:
        self._register = register

    @property
    def _options(self) -> SandboxOptions:
        return self._register.options

    def status(
        self, route: str, account: Account, id_or_ref: str, query: Mapping[str, str], addresses: Addresses
    ) -> Answer:
        """Answer a status query. Raises `Refused`."""
        family = "purchase" if route == "suex-status" else "sale"
        record = self._register.visible(account, (family,), id_or_ref)
        if route == "credit-memo-status" and record.doc_type != "05":
            raise Refused(404, "Documento no encontrado")
        if record.standing is Standing.CONTINGENCY:
            record = self._register.store.put(replace(record, queries=record.queries + 1))
        adjusted = (
            self._register.store.find(account.company, "sale", record.adjusts)
            if route == "credit-memo-status"
            else None
        )
        include = query.get("include_dte", "").lower() in ("1", "true", "yes", "on")
        body = answers.status(record, self._options, addresses, include_dte=include, adjusted=adjusted)
        return answers.as_json(body)

    def file(self, account: Account, id_or_ref: str, query: Mapping[str, str]) -> Answer:
        """Answer a download. Raises `Refused` for files that there are not, or not yet (provider.md 14.1)."""
        kind = query.get("type", "")
        if kind not in _FILE_TYPES:
            raise Refused(400, "type debe ser uno de: ticket, invoice, json", "query", "type")
        record = self._register.visible(account, ("sale", "purchase"), id_or_ref)
        if kind == "ticket" and record.doc_type == "14":
            raise Refused(404, "SUEX no genera ticket PDF")
        if kind == "ticket" and record.doc_type != "01":
            raise Refused(404, "Ticket solo disponible para Factura (01)")
        unready = (Standing.REJECTED, Standing.PENDING)
        if record.standing in unready if kind == "ticket" else not record.stamp:
            raise Refused(404, "Archivo no disponible")
        if kind == "json":
            return _download(record, "json", files.json_file(record, self._options), self._options.json_media_type)
        content = files.ticket(record) if kind == "ticket" else files.letter(record)
        return _download(record, "pdf", content, answers.PDF)

    def catalog(self, route: str, query: Mapping[str, str]) -> Answer:
        """Return the answer of a live catalog."""
        search = query.get("search", query.get("q", query.get("name", "")))
        match route:
            case "activities":
                return answers.as_json(catalogs.activities(search))
            case "departments":
                return answers.as_json(catalogs.departments(search))
            case _:
                return answers.as_json(catalogs.districts(search))

    def cancel(self, route: str, account: Account, id_or_ref: str) -> Answer:
        """Invalidate a document, or write the credit note that a late CCF gets instead. Raises `Refused`."""
        family = "purchase" if route == "invalidate-suex" else "sale"
        record = self._register.visible(account, (family,), id_or_ref)
        if record.cancelled_at is not None:
            self._register.note_cancelled_again(record)
            if self._options.cancel_repeat == "error409":
                raise Refused(409, "El documento ya fue invalidado")
            return self._cancelled(record)
        if not record.stamp and self._options.unstamped_invalidation != "accepted":
            code = {"error409": 409}.get(self._options.unstamped_invalidation, 400)
            raise Refused(code, "El documento no tiene sello de recepción")
        at, now = record.registered_at, self._register.clock()
        # A CCF has its own window, after which the provider writes a credit note by itself (provider.md 10).
        if record.doc_type == "03":
            if not ccf_window_open(at, now, self._options.ccf_days):
                return self._cancelled(self._register.replace_by_memo(account, record))
        elif not invoice_window_open(at, now, self._options.invoice_days):
            meaning = "Plazo de invalidación vencido"
            flags = {"success": False, "dte_success": False, "rejected": True, "reception_stamp": ""}
            said = {"dte_state": "RECHAZADO", "dte_message": meaning, "codigo_msg": "097", "observaciones": [meaning]}
            return answers.as_json(answers.cancelled(record, self._options, None, pending=False) | flags | said)
        stamp = "" if self._options.contingency else self._register.new_stamp(record, now, "cancelled")
        return self._cancelled(self._register.mark_cancelled(record, stamp=stamp))

    def cancel_status(self, route: str, account: Account, id_or_ref: str) -> Answer:
        """Answer a query of an invalidation. Raises `Refused`."""
        family = "purchase" if route == "invalidate-suex-status" else "sale"
        record = self._register.visible(account, (family,), id_or_ref)
        if record.cancelled_at is None:
            raise Refused(404, "Invalidación no encontrada")
        if not record.cancellation_stamp and not self._options.contingency:
            record = self._register.store.put(
                replace(
                    record, cancellation_stamp=self._register.new_stamp(record, self._register.clock(), "cancelled")
                )
            )
        return self._cancelled(record)

    def _cancelled(self, record: Record) -> Answer:
        memo = self._register.store.find(record.company, "sale", record.cancelled_by) if record.cancelled_by else None
        return answers.as_json(answers.cancelled(record, self._options, memo, pending=not record.cancellation_stamp))


def _download(record: Record, suffix: str, content: bytes, media_type: str) -> Answer:
    """Return a file as an answer, named by its control number."""
    name = f'attachment; filename="{record.control_number}.{suffix}"'
    return Answer(body=content, media_type=media_type, headers=(("Content-Disposition", name),))
