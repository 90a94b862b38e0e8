"""One frozen tree of totals, bridges and differences: the page, the workbook, the JSON and the exit code come from it.

The room hides how what was read is held against what is known. What makes the tree is pure: it reads no clock, `as_of`
is the ledger's own time. Three files are at the edge and use the `ledger`: `gather` and `compare` ask it, `sign` writes
into it. It may use `model`, `settings`, `rules`, `plan`, and of `send` and `provider` the reasons for which a sale may
be withdrawn.

- `gather`          what a report is about, and everything that the ledger knows of it
- `compare`         files that were only read, against the ledger, sale by sale
- `readings`        what runs read, from their records back to values
- `make`            the reconciliation, made of both; what needs a person
- `sums`            totals by state and dimension, and the bridge from rows to states
- `contingency`     what was open, came, went and is open, and how old it is
- `sequences`       control numbers: what is missing, what came twice, what fell into another month
- `signatures`      what is signed, and whether it is still that; `sign` what persons write
- `since`           what became of an earlier report's open items
- `values`          the parts, and `reconciliation` the whole with its verdict
- `serialise`       the whole as JSON
"""

from batch_issuer.model.states import STATE_NAMES
from batch_issuer.reconcile.contingency import age_bucket
from batch_issuer.reconcile.make import Background, is_open, looks_owed, reconcile, waits_for_person
from batch_issuer.reconcile.reconciliation import Reconciliation
from batch_issuer.reconcile.sequences import split_control_number
from batch_issuer.reconcile.serialise import as_json, findings_json, report_json
from batch_issuer.reconcile.signatures import content_of, share_a_day, signed_off
from batch_issuer.reconcile.since import read_open_items, since
from batch_issuer.reconcile.sums import add_up, tally
from batch_issuer.reconcile.values import (
    About,
    Cause,
    Change,
    Comparison,
    Conflict,
    ContingencyBridge,
    Difference,
    Group,
    HeldBack,
    Lookalike,
    Match,
    Missing,
    OpenItem,
    OtherMonth,
    ProblemText,
    Refusal,
    Repeat,
    Scope,
    Series,
    SignedOff,
    Since,
    SourceSummary,
    StateChange,
    Step,
    Tally,
    Total,
)

__all__ = [
    "STATE_NAMES",
    "About",
    "Background",
    "Cause",
    "Change",
    "Comparison",
    "Conflict",
    "ContingencyBridge",
    "Difference",
    "Group",
    "HeldBack",
    "Lookalike",
    "Match",
    "Missing",
    "OpenItem",
    "OtherMonth",
    "ProblemText",
    "Reconciliation",
    "Refusal",
    "Repeat",
    "Scope",
    "Series",
    "SignedOff",
    "Since",
    "SourceSummary",
    "StateChange",
    "Step",
    "Tally",
    "Total",
    "add_up",
    "age_bucket",
    "as_json",
    "content_of",
    "findings_json",
    "is_open",
    "looks_owed",
    "read_open_items",
    "reconcile",
    "report_json",
    "share_a_day",
    "signed_off",
    "since",
    "split_control_number",
    "tally",
    "waits_for_person",
]
