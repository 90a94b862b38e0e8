"""What the provider or the ministry would refuse: checks, identifiers, catalogs. Loaded when used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batch_issuer.rules.checks import as_model, check, examine, examine_like, faults_of_lines, sound_like
    from batch_issuer.rules.findings import Checked, Finding
    from batch_issuer.rules.table import RuleRow, all_kinds, row_of

__all__ = [
    "Checked", "Finding", "RuleRow", "all_kinds", "as_model", "check", "examine", "examine_like", "faults_of_lines",
    "row_of", "sound_like",
]  # fmt: skip

_HOMES = {
    "check": "checks", "examine": "checks", "Checked": "findings", "Finding": "findings", "all_kinds": "table",
    "RuleRow": "table", "row_of": "table", "faults_of_lines": "checks", "sound_like": "checks",
    "examine_like": "checks", "as_model": "checks",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if home := _HOMES.get(name):
        return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
