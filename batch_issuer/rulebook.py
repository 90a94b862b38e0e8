"""The rules of documents and of the batch, whichever room keeps them, as rows of one table: for `rules` and the README.

What reading finds in cells, rows and sheets (`reading/kinds`) is not among them: that is before there are documents.
"""

from __future__ import annotations

from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.plan import credit_notes, lookalikes
from batch_issuer.plan.customers import CUSTOMER_CONTRADICTS
from batch_issuer.plan.prepare import BACK_DATED
from batch_issuer.rules import RuleRow, all_kinds, row_of

_CREDITS = {
    credit_notes.CCF_OTHER_TYPE: "Only a CCF is adjusted (Ocote, credit note).",
    credit_notes.CCF_HELD_BACK: "A credit note follows the stamp of its CCF.",
    credit_notes.CCF_CANCELLED: "Of a cancelled CCF nothing is left to adjust.",
    credit_notes.OVER_CCF: "Credit notes together never exceed their CCF (Manual Funcional 2.0).",
    credit_notes.FULL_DIFFERS: "Ocote credits all of a CCF with full_adjustment, whatever the rows say.",
    credit_notes.CCF_UNKNOWN: "A CCF of another program is looked up at the provider.",
    credit_notes.CCF_NOT_STAMPED: "A credit note follows the stamp of its CCF.",
}
_BATCH = {
    CUSTOMER_CONTRADICTS: "Ocote changes the stored customer of a NIT or DUI with every document that names it.",
    lookalikes.SAME_IN_FILES: "One sale is issued once.",
    lookalikes.SAME_IN_LEDGER: "One sale is issued once.",
    BACK_DATED: "Ocote issues with today's date.",
}


def all_rules() -> tuple[RuleRow, ...]:
    """Every code once: of cells, of documents and their types, of credit notes, of the batch as a whole."""
    return (
        *all_kinds(),
        *(row_of(kind, ("05",), source) for kind, source in _CREDITS.items()),
        *(row_of(kind, DOC_TYPES, source) for kind, source in _BATCH.items()),
    )
