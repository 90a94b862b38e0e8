"""Reports that stand: those of an earlier run, where nothing that they say can have changed since.

The newest run that read files leaves a note beside the ledger: what its reports follow from, what the ledger's newest
event was, what was written, and what the same files would be told of next. The note is never trusted beyond doubt:
with another word in it, another byte in a file or a report, one more event in the ledger, the reports do not stand,
and everything is read and made anew. It may be deleted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from batch_issuer import __version__
from batch_issuer.documents import State
from batch_issuer.issuing import live_catalogs
from batch_issuer.planning.plan import Action, Plan
from batch_issuer.problems import CannotStart, StoppedMidway
from batch_issuer.reading.batch import SourceFile
from batch_issuer.reading.files import find_files
from batch_issuer.reconciliation import Reconciliation
from batch_issuer.settings import Company, Settings

Basis = Callable[[Mapping[str, str]], str]
"""A digest of all that reports follow from but the ledger, for files with these SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The reports of a run, and all that it said at its end."""

    run: str
    basis: str
    head: tuple[int, str]
    """Number and hash of the ledger's newest event when they were made, or when they were last found to stand."""
    reports: Mapping[str, str]
    digests: Mapping[str, str]
    """SHA-256 of each report."""
    plan: str
    """What is shown of the files' plan and problems, now that the run is over."""
    words: str
    """What was shown of the reconciliation."""
    answer: Mapping[str, Any]
    """The same for `--json`."""
    exit_code: int
    problems: bytes
    """The files' problems as `--json` gives them, packed."""


def basis_of(
    files: Mapping[str, str],
    settings: Settings,
    company: Company,
    *,
    ledger: Path,
    out: str,
    language: str,
    today: dt.date,
    expected: Sequence[Any],
) -> str:
    """A digest of what is read, of what it is judged by, and of how reports of it are written.

    `files` are their digests by path, in their order; `expected` is what has to be true of them.
    """
    where = (str(ledger), out, str(Path.cwd()), language)
    said = hashlib.sha256()
    said.update(repr((__version__, sys.version, today, where, company, settings, *expected)).encode())
    said.update(repr((*files.items(),)).encode("utf-8", "surrogatepass"))
    said.update(_bytes(live_catalogs.cache_path(ledger)))
    return said.hexdigest()


def read_digests(sources: Sequence[SourceFile]) -> dict[str, str]:
    """The files that were read, and their digests."""
    return {source.path: source.sha256 for source in sources}


def leaves_all(plan: Plan) -> bool:
    """Whether a plan asks nothing, sends nothing, and finds nothing that was issued otherwise or cancelled."""
    return all(
        step.action is Action.NOTHING and step.record is not None and step.record.state is not State.CANCELLED
        for step in plan.steps
    )


def find(ledger: Path, files: Sequence[str], basis: Basis) -> Standing | None:
    """The reports that were made of the very same files, all there as they were written; None where in doubt."""
    try:
        digest, _, rest = _path(ledger).read_bytes().partition(b"\n")
        if hashlib.sha256(rest).hexdigest().encode() != digest:
            return None
        text, _, problems = rest.partition(b"\n")
        plain = json.loads(text)
        standing = Standing(**{**plain, "head": tuple(plain["head"]), "problems": problems})
        paths = find_files(files)
        if not standing.reports or not all(Path(path).is_file() for path in paths):
            return None
        if basis(_digests({path: path for path in paths})) != standing.basis:
            return None
        if _digests(standing.reports) != standing.digests:
            return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, CannotStart):
        return None
    return standing


def keep(
    ledger: Path,
    reconciliation: Reconciliation,
    *,
    basis: str,
    head: tuple[int, str],
    reports: Mapping[str, str],
    plan: str,
    words: str,
    answer: Mapping[str, Any],
    exit_code: int,
    problems: str,
) -> None:
    """Note a run's reports, and what to say of the files next."""
    try:
        digests = _digests(reports)
    except OSError:
        return
    _write(
        ledger,
        Standing(
            run=reconciliation.runs[-1].run,
            basis=basis,
            head=head,
            reports=reports,
            digests=digests,
            plan=plan,
            words=words,
            answer=answer,
            exit_code=exit_code,
            problems=zlib.compress(problems.encode("utf-8", "surrogatepass"), 1),
        ),
    )


def may_stand(reconciliation: Reconciliation) -> bool:
    """Whether reports of it can be the same later: what ages by the hour, and what was cancelled on the way, is not."""
    made = reconciliation
    ageing = any(documents for _, documents, _ in (*made.ages, *made.rejection_ages))
    return not (ageing or made.conflicts or made.stopped or made.states[State.CANCELLED].documents)


def problems_of(standing: Standing) -> str:
    """The files' problems, as JSON."""
    return zlib.decompress(standing.problems).decode("utf-8", "surrogatepass")


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

    plain = asdict(standing)
    packed = plain.pop("problems")
    text = json.dumps(plain, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n" + packed
    try:
        replace_file(_path(ledger), hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
    except StoppedMidway:
        return
