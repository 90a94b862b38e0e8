"""Money, times and places as they are read in El Salvador, and texts from files made safe to show.

Page, workbook and screen print days, moments and spans of rows with these, so that one minute looks the same in each.
Amounts are printed by `model/money.py`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.money import dollars
from batch_issuer.reconcile import Reconciliation

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
# Bounded, so that a long text without an address is not tried from each of its places to its end.
_EMAIL = re.compile(r"([^\s@«»<>,;]{1,2})[^\s@«»<>,;]{0,100}(@[^\s«»<>,;]+)")
# Eight signs or more of digits, spaces and hyphens: DUI, NIT, telephone, card (a date within a sentence too).
_IDENTIFIER = re.compile(r"(?<![\w-])\d(?:[\d\s-]{6,}\d)(?![\w-])")
_KEPT = 3
"""Digits of a hidden number that stay, so that two of them can be told apart."""


def money(amount: Decimal | int) -> str:
    """Return `$1,234.56`, with a typographer's minus before the dollar; `0` is what a template's sum of nothing is."""
    return dollars(Decimal(amount), minus="−")


def signed_money(amount: Decimal | int) -> str:
    """Return an amount as `money` does, with a plus sign where something is added."""
    return money(amount) if amount <= 0 else f"+{money(amount)}"


def whole(number: int) -> str:
    """Return a count with its thousands apart: `25,900`."""
    return f"{number:,}"


def share(part: int | Decimal, everything: int | Decimal) -> str:
    """Return a percentage, `99.5 %`, that says neither 0 nor 100 unless it is."""
    if not everything:
        return "0 %"
    percent = Decimal(part) * 100 / Decimal(everything)
    if 0 < percent < Decimal("0.1"):
        return "< 0.1 %"
    if Decimal("99.9") < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %".replace(".0 %", " %")


@lru_cache(maxsize=4096)
def local_time(utc: str) -> dt.datetime | None:
    """Return the wall clock in El Salvador at an instant of the ledger; None where none is known."""
    return dt.datetime.fromisoformat(utc).astimezone(EL_SALVADOR) if utc else None


def moment(utc: str) -> str:
    """Return the minute in El Salvador, `dd/mm/yyyy HH:MM`; empty where nothing is known."""
    local = local_time(utc)
    return f"{local:%d/%m/%Y %H:%M}" if local else ""


def day(iso: str) -> str:
    """Return an ISO date as `dd/mm/yyyy`; what is no date stays as it is."""
    parts = iso.split("-")
    return f"{parts[2]}/{parts[1]}/{parts[0]}" if len(parts) == 3 and len(iso) == 10 else iso


def file_names(reconciliation: Reconciliation) -> dict[str, str]:
    """Return each file without its folder, and with it where two files have the same name."""
    files = {record.source.file for record in reconciliation.records}
    files |= {source.file for source in reconciliation.sources}
    files |= {held.file for held in reconciliation.held_back}
    files |= {conflict.file for conflict in reconciliation.conflicts}
    # Both slashes: the report may be made on another system than the one that read the files.
    names = {file: file[max(file.rfind("/"), file.rfind("\\")) + 1 :] for file in files}
    counts = Counter(names.values())
    return {file: name if counts[name] == 1 else file for file, name in names.items()}


def hours_between(since: str, until: str) -> float:
    """Return the hours from one instant of the ledger to another; 0 where one is not known."""
    if not since or not until:
        return 0
    return (dt.datetime.fromisoformat(until) - dt.datetime.fromisoformat(since)).total_seconds() / 3600


def age(since: str, until: str) -> str:
    """Return how long it is from one instant of the ledger to another: `45 min`, `34 h`, `3 d 8 h`."""
    minutes = int(hours_between(since, until) * 60)
    if minutes < 60:
        return f"{max(minutes, 0)} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 72 else f"{hours // 24} d {hours % 24} h"


def span(rows: Sequence[int]) -> str:
    """Return row numbers with their runs drawn together: `14–16, 20`."""
    # Nearly all documents have one row, or rows that follow each other; a report has tens of thousands of them.
    if len(rows) == 1:
        return str(rows[0])
    if rows and tuple(rows) == tuple(range(rows[0], rows[0] + len(rows))):
        return f"{rows[0]}–{rows[-1]}"
    parts: list[str] = []
    start = previous = None
    for row in [*sorted(set(rows)), None]:
        if start is not None and previous is not None and row != previous + 1:
            parts.append(str(start) if start == previous else f"{start}–{previous}")
            start = None
        start = row if start is None else start
        previous = row
    return ", ".join(parts)


@lru_cache(maxsize=8192)
def text_lines(text: str, width: int) -> int:
    """Return the lines that a text takes in a cell of so many characters, at most 12."""
    return min(sum(max(1, -(-len(line) // width)) for line in text.split("\n")), 12)


def printable(text: str) -> str:
    """Return the text with what no page or sheet can hold shown as U+FFFD."""
    return text if text.isprintable() else _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))


def masked_words(text: str) -> str:
    """Return the text with identity numbers, telephones and e-mail addresses hidden but for what tells them apart."""
    if "@" in text:  # few sentences have one, and the pattern is slow
        text = _EMAIL.sub(r"\1•••\2", text)
    return _IDENTIFIER.sub(lambda found: masked_end("".join(filter(str.isdigit, found[0]))), text)


def masked_end(identity: str) -> str:
    """Return an identity with all but its last three characters hidden."""
    return "•" * max(len(identity) - _KEPT, 0) + identity[-_KEPT:]


def masked_name(name: str) -> str:
    """Return a name as its initials, `A. E.`; empty stays empty."""
    return " ".join(f"{word[0]}." for word in name.split() if word[0].isalnum()) or ("•" if name else "")


def shared_words(texts: Iterable[str]) -> str:
    """Return what several sentences have in common at their beginning and end, with `…` for what differs."""
    sentences = [text.split() for text in dict.fromkeys(texts)]
    if len(sentences) <= 1:
        return " ".join(sentences[0]) if sentences else ""
    shortest = min(len(words) for words in sentences)
    head = _agreeing(zip(*sentences, strict=False))
    tail = min(_agreeing(zip(*map(reversed, sentences), strict=False)), shortest - head)
    first = sentences[0]
    return " ".join([*first[:head], "…", *(first[-tail:] if tail else [])])


def _agreeing(columns: Iterable[tuple[str, ...]]) -> int:
    count = 0
    for words in columns:
        if len(set(words)) > 1:
            break
        count += 1
    return count


def fingerprint(reconciliation: Reconciliation) -> str:
    """Return a digest of the documents that a report is about: a signature on paper names the very figures."""
    # This form stays: a digest on a printed page is compared with that of a report made again.
    lines = [f"{reconciliation.company}\n{reconciliation.as_of}\n{reconciliation.rows}\n"]
    for record in reconciliation.records:
        answer = record.answer
        lines.append(
            f"{record.external_ref}|{record.state}|{record.expected_gross}|{answer.amounts.gross}|{answer.reception_stamp}\n"
        )
    lines += [f"{held.external_ref}|held back|{held.gross}\n" for held in reconciliation.held_back]
    lines += [f"{one.external_ref}|conflict|{one.file_gross}\n" for one in reconciliation.conflicts]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]
