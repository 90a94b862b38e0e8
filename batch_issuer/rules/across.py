"""Rules that look across documents: credit notes and their CCFs, one sale twice, one customer told in two ways, dates.

Their kinds and sources stand here, with those of all other rules. What they ask needs the whole batch and the ledger,
so that the checks themselves are made in the plan: `plan/credit_notes`, `plan/lookalikes`, `plan/customers` and
`plan/prepare`.
"""

from __future__ import annotations

from batch_issuer.messages import N_
from batch_issuer.model.problems import Kind, Severity

CCF_OTHER_TYPE = Kind(
    code="credit-not-a-ccf",
    message=N_("The credit note adjusts «{value}», which is of type {doc_type}: only a CCF (03) can be adjusted."),
    repair=N_("Cancel that document instead, or correct the reference."),
)
CCF_HELD_BACK = Kind(
    code="credit-ccf-held-back",
    message=N_("The credit note adjusts «{value}», which is held back for its own data."),
    repair=N_("Correct the CCF; then both are issued, one after the other."),
)
CCF_CANCELLED = Kind(
    code="credit-ccf-cancelled",
    message=N_("The credit note adjusts «{value}», which was cancelled: nothing is left to credit."),
    repair=N_("Take the credit note out, or correct the reference."),
)
OVER_CCF = Kind(
    code="credit-over-ccf",
    message=N_(
        "The credit note comes to ${amount}, and of the CCF «{value}» (${gross}) only ${left} is left: "
        "credit notes of ${credited} are issued or come before it."
    ),
    repair=N_("Correct the quantities and prices, or take the credit note out."),
)
FULL_DIFFERS = Kind(
    code="credit-full-differs",
    message=N_("The credit note says that all of «{value}» is credited, ${gross}, and its rows come to ${amount}."),
    repair=N_("Empty «Ajuste total» if only these rows are credited; or empty their quantities and prices if all is."),
)
CCF_UNKNOWN = Kind(
    code="credit-ccf-unknown",
    severity=Severity.WARNS,
    message=N_("Neither the files nor the ledger have the CCF «{value}» that the credit note adjusts."),
    repair=N_("The provider is asked about it before the note is sent; nothing is sent if it has none or too little."),
)
CCF_NOT_STAMPED = Kind(
    code="credit-waits",
    severity=Severity.WARNS,
    message=N_("The CCF «{value}» has no stamp, so its credit note waits."),
    repair=N_("Run `batch-issuer refresh`, or correct the CCF; the next run sends the note once the CCF is stamped."),
)
SAME_IN_FILES = Kind(
    code="sale-twice-in-files",
    severity=Severity.WARNS,
    message=N_("{reference} and {other} are the same sale by customer, day, total and lines, under two references."),
    repair=N_("If it is one sale, take one of them out before issuing: both will be sent."),
)
SAME_IN_LEDGER = Kind(
    code="sale-issued-before",
    severity=Severity.WARNS,
    message=N_("{reference} looks like {other}, which the ledger already has: same customer, day, total and lines."),
    repair=N_("If it is the same sale, take it out before issuing: under this reference it will be sent."),
)
CUSTOMER_CONTRADICTS = Kind(
    code="customer-contradicts",
    severity=Severity.WARNS,
    message=N_("The customer {number} has «{value}» here and «{first}» in row {row} of {file}."),
    repair=N_(
        "Leave one of the two. Both are sent as they stand, and the provider keeps for this customer what it got last."
    ),
)
BACK_DATED = Kind(
    code="back-dated",
    severity=Severity.WARNS,
    message=N_(
        "Not today's sales ({count}, of {days}). The provider has no field for the date: "
        "they are issued with today's date and fall into today's tax period."
    ),
    repair=N_("Issue sales on their own day, or ask your accountant before going on."),
)

CREDIT_SOURCES = {
    CCF_OTHER_TYPE: "Only a CCF is adjusted (Ocote, credit note).",
    CCF_HELD_BACK: "A credit note follows the stamp of its CCF.",
    CCF_CANCELLED: "Of a cancelled CCF nothing is left to adjust.",
    OVER_CCF: "Credit notes together never exceed their CCF (Manual Funcional 2.0).",
    FULL_DIFFERS: "Ocote credits all of a CCF with full_adjustment, whatever the rows say.",
    CCF_UNKNOWN: "A CCF of another program is looked up at the provider.",
    CCF_NOT_STAMPED: "A credit note follows the stamp of its CCF.",
}
"""Of credit notes (05): each kind with what its rule says, and who says so; English."""
BATCH_SOURCES = {
    CUSTOMER_CONTRADICTS: "Ocote changes the stored customer of a NIT or DUI with every document that names it.",
    SAME_IN_FILES: "One sale is issued once.",
    SAME_IN_LEDGER: "One sale is issued once.",
    BACK_DATED: "Ocote issues with today's date.",
}
"""Of all types, as `CREDIT_SOURCES`."""
