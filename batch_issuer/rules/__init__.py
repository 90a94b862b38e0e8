"""What the provider or the ministry would refuse, as rules about cells and documents.

The room hides which law, schema or page asks what, and how a value is judged. It may use `model`, `settings`, and of
`reading` the batch that it judges and the problems found in its cells. `check` and `examine` hold a document against
the rules and give it back with its problems; nothing is raised, sent or asked of the ledger.

- `table`        every rule about documents, listed: what `rules`, README and docs are made of
- `checks`       how a document is held against them: once per distinct value
- `cells`        rules about one cell
- `places`       department, municipality and district
- `whole`        rules about a document of any type: lines, amounts, who has to be identified
- `by_type`      rules of one type each: CCF, credit note, export invoice, excluded subject
- `across`       kinds and sources of what is judged across documents, in the plan
- `deadlines`    until when a document can be cancelled
- `catalogs`     the ministry's catalogs: names to codes
- `identifiers`  shapes and check digits of NIT, DUI and the others

Each is loaded when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batch_issuer.rules.checks import check, examine, faults_of_lines
    from batch_issuer.rules.table import RuleRow, all_kinds, all_rules

__all__ = ["RuleRow", "all_kinds", "all_rules", "check", "examine", "faults_of_lines"]

_HOMES = {
    "check": "checks", "examine": "checks", "faults_of_lines": "checks",
    "all_kinds": "table", "all_rules": "table", "RuleRow": "table",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if home := _HOMES.get(name):
        return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
