"""What the provider or the ministry would refuse: checks, identifiers, catalogs. Loaded when used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batch_issuer.rules.checks import check, examine, faults_of_lines
    from batch_issuer.rules.findings import Checked, Finding
    from batch_issuer.rules.table import RuleRow, all_kinds, row_of

__all__ = ["Checked", "Finding", "RuleRow", "all_kinds", "check", "examine", "faults_of_lines", "row_of"]

_HOMES = {
    "check": "checks", "examine": "checks", "faults_of_lines": "checks", "Checked": "findings", "Finding": "findings",
    "all_kinds": "table", "RuleRow": "table", "row_of": "table",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if home := _HOMES.get(name):
        return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
