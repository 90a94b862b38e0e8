"""One frozen tree of totals, bridges and differences: the page, the workbook, the JSON and the exit code come from it.

Pure: what a run read, against what the ledger knows. Nothing here reads a clock; `as_of` is the ledger's own time.
"""

from batch_issuer.reconciliation.contingency import age_bucket
from batch_issuer.reconciliation.later import read_open_items, since
from batch_issuer.reconciliation.making import Background, is_open, reconcile, waits_for_person
from batch_issuer.reconciliation.plain import as_json, findings_json, report_json
from batch_issuer.reconciliation.sequences import split_control_number
from batch_issuer.reconciliation.signatures import content_of, share_a_day, signed_off
from batch_issuer.reconciliation.totals import add_up, tally
from batch_issuer.reconciliation.values import (
    STATE_NAMES,
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
    Reconciliation,
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
