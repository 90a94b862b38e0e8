"""Which route of the provider a document's type belongs to (provider.md 5 to 11).

Type 14 is a purchase and lives in a family of its own; asking about it among the sales finds nothing.
"""

from __future__ import annotations

from batch_issuer.provider.wire import path_of

INVOICE = "/invoice"
_ISSUE = {"05": "/credit-memo", "14": "/suex"}
_STATUS = {"05": "/credit-memo/status", "14": "/suex/status"}
_INVALIDATE = {"14": "/invalidate/suex"}


def issue_path(doc_type: str) -> str:
    """Return where a document of this type is issued."""
    return _ISSUE.get(doc_type, INVOICE)


def status_path(doc_type: str, id_or_ref: str) -> str:
    """Return where to ask about a document of this type, by the provider's id or by our reference."""
    return f"{_STATUS.get(doc_type, '/status')}/{path_of(id_or_ref)}"


def cancel_path(doc_type: str, id_or_ref: str) -> str:
    """Return where a document of this type is invalidated."""
    return f"{_INVALIDATE.get(doc_type, '/invalidate')}/{path_of(id_or_ref)}"


def cancel_status_path(doc_type: str, id_or_ref: str) -> str:
    """Return where to ask what became of an invalidation."""
    return f"{_INVALIDATE.get(doc_type, '/invalidate')}/status/{path_of(id_or_ref)}"


def file_path(id_or_ref: str, kind: str) -> str:
    """Return where a document's file is: `ticket`, `invoice` or `json`. Sales and purchases share it."""
    return f"/file/{path_of(id_or_ref)}?type={kind}"
