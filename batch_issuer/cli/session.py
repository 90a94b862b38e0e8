"""What most commands begin with: settings, company and ledger of the call, and the files that are named."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from batch_issuer.cli.asking import choose
from batch_issuer.cli.screen.output import Output
from batch_issuer.cli.settings_in_use import settings_in_use, show_settings
from batch_issuer.messages import N_, choose_language
from batch_issuer.model.days import today
from batch_issuer.model.problems import CannotStart
from batch_issuer.plan.prepare import Prepared, prepare
from batch_issuer.reading import Batch, RepeatedRows, read
from batch_issuer.reading.learned import settings_path, write_settings
from batch_issuer.reading.reference_lists import read_references
from batch_issuer.rules import catalogs
from batch_issuer.send import live_catalogs
from batch_issuer.settings import Company, Settings

_OVER_SOURCE = ("decimal", "dates", "sheet", "hidden_rows", "repeated_rows", "alike")
"""Options that stand over the keys of [source]."""
_COUNT_OR_ONCE = {
    "count": N_("The same thing was sold twice: each row is a line."),
    "once": N_("The rows were pasted twice: each is issued once, and the repeats are left out."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The settings of one call, with its options over them."""

    output: Output
    settings: Settings
    company: Company
    ledger: Path
    accepted: Mapping[str, str] = field(default_factory=dict)
    """The settings file that somebody has chosen, for a run to remember; empty where nobody has."""


def open_session(
    output: Output, options: Mapping[str, Any], files: Sequence[str] = (), *, tells: bool = True
) -> Session:
    """Read the settings, say which file they are of, and put the options over them.

    `tells` is false for a command that names the file in its own way. Raises `CannotStart` for settings that cannot be
    used, and for a question about them that nobody answers.
    """
    ledger = Path(options["ledger"])
    in_use = settings_in_use(output, options["config"], files, ledger)
    settings = in_use.settings
    output.settings_file = str(settings.path.resolve()) if settings.path else None
    source = {name: options[name] for name in _OVER_SOURCE if options.get(name)}
    if source:
        settings = replace(settings, source=replace(settings.source, **source))
    company = settings.company(options["company"])
    # The language was chosen before there were settings, as help needs it; now the company's own may count.
    if company.language and "--lang" not in " ".join(sys.argv):
        output.messages = replace(output.messages, language=choose_language(configured=company.language))
    if tells:
        show_settings(output)
    catalogs.prefer(live_catalogs.kept(ledger))
    return Session(output=output, settings=settings, company=company, ledger=ledger, accepted=in_use.accepted)


def read_files(session: Session, files: Sequence[str], *, compared: bool = True) -> Prepared:
    """Return the files' documents, checked; and encoded, where they are `compared` with a ledger.

    They last as long as the command does: the garbage collector, off meanwhile, is told not to look at them after it.
    Raises `CannotStart` for a file that cannot be read, and for rows that repeat where nobody says what is meant.
    """
    from batch_issuer.reading.tables import without_collecting

    settings, answer = session.settings, ""
    batch: Batch | None = None
    with without_collecting():
        try:
            batch = read(files, settings, stdin=sys.stdin.buffer)
        except RepeatedRows as question:
            answer = choose(session.output, question, _COUNT_OR_ONCE)
        # Read again outside of the clause above: inside, the exception would keep the first reading's rows in memory.
        if batch is None:
            settings = replace(settings, source=replace(settings.source, repeated_rows=answer))
            keep_answer(session.output, settings_path(None, settings, files), "repeated_rows", answer)
            batch = read(files, settings, stdin=sys.stdin.buffer)
        prepared = prepare(batch, settings, today(), compared=compared)
        gc.freeze()
    return prepared


def keep_answer(output: Output, path: Path, key: str, answer: str) -> None:
    """Write an answer into the settings, so that it is not asked again; where that fails it holds for this run."""
    try:
        written = write_settings(path, {"source": {key: answer}})
    except CannotStart as refused:
        output.show(refused.text(output.messages))
        return
    for line in written.added:
        output.say(N_("Kept in {path}: {line}"), path=written.path, line=line)


def named_references(references: Sequence[str], file: str | None) -> tuple[str, ...]:
    """Return the references on the command line, then those of a file, each once.

    Raises `CannotStart` where there is none, or the file cannot be read.
    """
    found = [*references, *(read_references(file, sys.stdin.buffer) if file else ())]
    if not found:
        raise CannotStart(N_("No document was named."), repair=N_("Give references, or a file of them with --file."))
    return tuple(dict.fromkeys(found))
