"""The provider's live catalogs, kept beside the ledger: read without network, refreshed while a run sends.

They never change what was sent: a refreshed catalog counts from the next command on. What goes wrong here is not told:
without them the shipped catalogs count, as on a first day.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch_issuer.files import write_whole
from batch_issuer.model.fields import TABLE, ValueKind
from batch_issuer.provider.catalogs import DEPARTMENTS, activities_path, read_activities, read_departments
from batch_issuer.rules.catalogs import Live, Municipality

if TYPE_CHECKING:
    from batch_issuer.provider.client import Client

KEPT_FOR = dt.timedelta(days=7)
MOST_SEARCHED = 10
"""Activities looked for in one run."""
FIELDS = frozenset(field.key for field in TABLE if field.kind is ValueKind.PLACE or field.catalog == "CAT-019")
"""Our fields that the provider's catalogs know about."""
_LARGEST = 1024 * 1024


def cache_path(ledger: Path) -> Path:
    """Return where the catalogs of a ledger's provider are kept: beside it."""
    return ledger.with_name(f"{ledger.name}.catalogs.json")


def kept(ledger: Path) -> Live:
    """Return what was last heard of the provider's catalogs; nothing where that cannot be read."""
    content = _read(ledger)
    try:
        municipalities = tuple(Municipality(*map(str, one)) for one in content.get("municipalities", ()))
        activities = {str(code): str(name) for code, name in content.get("activities", {}).items()}
    except (TypeError, ValueError, AttributeError):
        return Live()
    return Live(municipalities=municipalities, activities=activities)


def is_old(ledger: Path, now: dt.datetime) -> bool:
    """Whether the catalogs were never asked for, or long ago."""
    try:
        return now - dt.datetime.fromisoformat(_read(ledger)["asked_at"]) > KEPT_FOR
    except (KeyError, ValueError, TypeError):
        return True


async def refresh(client: Client, ledger: Path, now: dt.datetime, activities: Collection[str]) -> None:
    """Ask for departments, and for activities that ours do not have; keep what is understood."""
    import asyncio  # noqa: PLC0415 - who only reads what is kept does without, and starts sooner

    before = kept(ledger)
    departments = await client.catalog(DEPARTMENTS)
    # Nothing is kept, so that the next run asks again.
    if departments is None:
        return
    found = dict(before.activities)
    for code in sorted(activities)[:MOST_SEARCHED]:
        found |= read_activities(await client.catalog(activities_path(code)))
    # An answer in which nothing is understood does not take away what is known.
    municipalities = read_departments(departments) or before.municipalities
    content = {
        "asked_at": now.isoformat(timespec="seconds"),
        "municipalities": [list(one) for one in municipalities],
        "activities": found,
    }
    text = json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
    with suppress(OSError):
        await asyncio.to_thread(write_whole, cache_path(ledger), text, private=False)


def _read(ledger: Path) -> dict[str, Any]:
    # Anybody may have written the file: nothing in it may stop a command that does not need it.
    try:
        path = cache_path(ledger)
        content = json.loads(path.read_bytes()) if path.stat().st_size <= _LARGEST else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
