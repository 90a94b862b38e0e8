"""Reports that stand: those of an earlier run, where nothing that they say can have changed since.

The newest run that read files leaves a note beside the ledger: what its reports follow from, what the ledger's newest
event was, and what was written. The note is never trusted beyond doubt: with another word in it, another byte in a
report, one more event in the ledger, the reports do not stand, and everything is made anew. It may be deleted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from batch_issuer import __version__
from batch_issuer.documents import State
from batch_issuer.issuing import live_catalogs
from batch_issuer.planning.plan import Action, Plan
from batch_issuer.planning.preparing import Prepared
from batch_issuer.problems import Problem, StoppedMidway
from batch_issuer.reconciliation import Reconciliation
from batch_issuer.settings import Company


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The reports of a run, and all that it said at its end."""

    run: str
    basis: str
    """A digest of everything but the ledger that the reports follow from."""
    head: tuple[int, str]
    """Number and hash of the ledger's newest event when they were made, or when they were last found to stand."""
    reports: Mapping[str, str]
    digests: Mapping[str, str]
    """SHA-256 of each report."""
    words: str
    """What was shown of the reconciliation."""
    answer: Mapping[str, Any]
    """The same for `--json`."""
    exit_code: int


def basis_of(prepared: Prepared, company: Company, *, ledger: Path, out: str, language: str, today: dt.date) -> str:
    """A digest of what was read, of how it was judged, and of how reports of it are written."""
    said = hashlib.sha256()
    where = (str(ledger), out, str(Path.cwd()), language)
    said.update(repr((__version__, today, where, company, prepared.settings, prepared.batch.sources)).encode())
    said.update(repr((prepared.by_source, prepared.days, len(prepared.candidates))).encode())
    for held in prepared.held:
        said.update(repr((held.document.external_ref, *_words(held.problems))).encode("utf-8", "surrogatepass"))
    said.update(repr((*_words(prepared.notes),)).encode("utf-8", "surrogatepass"))
    said.update(_bytes(live_catalogs.cache_path(ledger)))
    return said.hexdigest()


def _words(problems: Iterable[Problem]) -> Iterable[tuple[Any, ...]]:
    for one in problems:
        place = one.place
        yield (
            one.code, one.external_ref, one.field, one.value, place.file, place.sheet, place.row, place.column,
            place.heading, *one.parameters.items(),
        )  # fmt: skip


def leaves_all(plan: Plan) -> bool:
    """Whether a plan asks nothing, sends nothing, and finds nothing that was issued otherwise or cancelled."""
    return all(
        step.action is Action.NOTHING and step.record is not None and step.record.state is not State.CANCELLED
        for step in plan.steps
    )


def find(ledger: Path, basis: str) -> Standing | None:
    """The reports that were made of the very same, all of them there as they were written; None where in doubt."""
    try:
        digest, _, text = _path(ledger).read_bytes().partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            return None
        plain = json.loads(text)
        standing = Standing(**{**plain, "head": tuple(plain["head"])})
        if standing.basis != basis or not standing.reports or _digests(standing.reports) != standing.digests:
            return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return standing


def keep(
    ledger: Path,
    reconciliation: Reconciliation,
    *,
    basis: str,
    head: tuple[int, str],
    reports: Mapping[str, str],
    words: str,
    answer: Mapping[str, Any],
    exit_code: int,
) -> None:
    """Note a run's reports. What ages by the hour, and what was cancelled on the way, is told anew every time."""
    made = reconciliation
    ageing = any(documents for _, documents, _ in (*made.ages, *made.rejection_ages))
    if ageing or made.conflicts or made.stopped or made.states[State.CANCELLED].documents:
        forget(ledger)
        return
    try:
        digests = _digests(reports)
    except OSError:
        return
    _write(
        ledger,
        Standing(
            run=made.runs[-1].run,
            basis=basis,
            head=head,
            reports=reports,
            digests=digests,
            words=words,
            answer=answer,
            exit_code=exit_code,
        ),
    )


def still_stands(ledger: Path, standing: Standing, head: tuple[int, str]) -> None:
    """Note that a run found the reports to stand; `head` is the newest event then."""
    _write(ledger, replace(standing, head=head))


def forget(ledger: Path) -> None:
    """From now on no reports stand."""
    try:
        _path(ledger).unlink(missing_ok=True)
    except OSError:
        return


def _path(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.reports.json")


def _digests(reports: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for kind, path in reports.items():
        with Path(path).open("rb") as file:
            found[kind] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _write(ledger: Path, standing: Standing) -> None:
    """Whoever cannot write it makes the reports anew the next time."""
    from batch_issuer.reports.replacing import replace_file  # noqa: PLC0415 - only where there is something to write

    text = json.dumps(asdict(standing), ensure_ascii=False).encode("utf-8", "backslashreplace")
    try:
        replace_file(_path(ledger), hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    except StoppedMidway:
        return
