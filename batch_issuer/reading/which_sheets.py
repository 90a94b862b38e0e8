"""Which sheets of the named files are read: every CSV, and of each workbook its one visible sheet of sales."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, raise_together
from batch_issuer.reading.csv.rows import read_csv
from batch_issuer.reading.documents.sales import Sales
from batch_issuer.reading.headings.columns import Columns, Header
from batch_issuer.reading.headings.questions import listed
from batch_issuer.reading.own_sheets import example_sheet, is_example
from batch_issuer.reading.paths import find_files, is_workbook, opened, refuse_copies
from batch_issuer.reading.sheets.fields import SheetSales
from batch_issuer.reading.sheets.sheet import read_sheet
from batch_issuer.reading.tables import Sheet, without_collecting
from batch_issuer.settings import Settings

if TYPE_CHECKING:
    from batch_issuer.reading.xlsx.workbook import Workbook


def read_batch(paths: Sequence[str], settings: Settings, stdin: BinaryIO | None) -> Sales:
    """Read all files of one command: the body of `batch_issuer.reading.read`, which says what it raises."""
    columns = Columns(settings)
    with without_collecting():
        sheets = [sheet for path in find_files(paths) for sheet in _read_file(path, columns, settings, stdin)]
        refuse_copies([(sheet.sheet.path, sheet.sheet.sha256) for sheet in sheets])
        sales = Sales(sheets, settings)
        repeated = [sheet.question for sheet in sheets if sheet.question is not None]
        for question in repeated[:-1]:
            question.repair = ""  # the same question about several files is answered once: the last one says how
        raise_together([*sales.questions, *repeated])
        return sales


def _read_file(path: str, columns: Columns, settings: Settings, stdin: BinaryIO | None) -> list[SheetSales]:
    """Read the sheets of one file; its bytes are let go before the next file is opened."""
    with opened(path, stdin) as stream:
        if is_workbook(path, stream):
            from batch_issuer.reading.xlsx.workbook import Workbook, is_sheet_name  # noqa: PLC0415 - CSV does without

            stream.seek(0)
            asked = settings.source.sheet
            chosen = _chosen(Workbook(path, stream.read()), columns, asked, by_name=is_sheet_name(asked))
        else:
            sheet = read_csv(path, stream, columns.count)
            chosen = [(sheet, columns.header(sheet))]
    return [read_sheet(sheet, columns.confirmed(sheet, header), columns, settings) for sheet, header in chosen]


def _chosen(workbook: Workbook, columns: Columns, asked: str, *, by_name: bool) -> list[tuple[Sheet, Header | None]]:
    """Return the sheets that the settings name, or the only visible one whose headings are recognised.

    Raises `CannotStart` where that is none, or several that nobody has asked for.
    """
    wanted = workbook.matching(asked)
    if by_name and not wanted:
        raise _no_such_sheet(workbook, asked)
    read = [workbook.sheet(entry) for entry in wanted]
    examples = [sheet for sheet in read if is_example(sheet)]
    found = [(sheet, columns.header(sheet)) for sheet in read if not is_example(sheet)]
    if examples and not any(header and len(header.columns) > 1 for _, header in found):
        raise CannotStart(
            N_("The sheet «{sheet}» of {file} is the template's example: it is never issued."),
            repair=N_("Write the sales into the other sheet; `batch-issuer template` makes a new workbook."),
            file=examples[0].path,
            sheet=examples[0].name,
        )
    if by_name:
        return found  # whoever names a sheet is told what it lacks, not that another one is meant
    first, *others = _tables(workbook, columns, found, asked)
    return [(replace(first[0], examples=tuple(map(example_sheet, examples))), first[1]), *others]


def _tables(
    workbook: Workbook, columns: Columns, found: Sequence[tuple[Sheet, Header | None]], asked: str
) -> list[tuple[Sheet, Header | None]]:
    """Return those of the visible sheets that have sales, or the one that comes nearest, to be told what it lacks."""
    tables = [(sheet, header) for sheet, header in found if header is not None and not header.missing]
    # A sheet of headings alone is what a template leaves when the sales stand in another one.
    filled = [(sheet, header) for sheet, header in tables if sheet.table.rows > header.row + 1] or tables[:1]
    if len(filled) > 1 and not asked:
        raise CannotStart(
            N_("{file} has several sheets with sales: {sheets}."),
            repair=N_(
                'Say which one with --sheet, or with sheet under [source] in the settings; --sheet "*" reads them all.'
            ),
            file=workbook.path,
            sheets=listed([sheet.name for sheet, _ in filled]),
        )
    if filled:
        return list(filled)
    if not found:
        if asked:
            raise _no_such_sheet(workbook, asked)
        raise CannotStart(
            N_("{file} has no visible sheet."),
            repair=N_("Show the sheet with the sales in Excel, or name it with --sheet. Its sheets are: {sheets}."),
            file=workbook.path,
            sheets=listed([entry.name for entry in workbook.sheets]),
        )
    _refuse_hidden_sales(workbook, columns)
    return [max(found, key=lambda pair: len(pair[1].columns) if pair[1] else -1)]


def _refuse_hidden_sales(workbook: Workbook, columns: Columns) -> None:
    """Raise `CannotStart` where a hidden sheet has sales: no visible one has any, and it may be meant."""
    for entry in workbook.sheets:
        if entry.hidden and (header := columns.header(workbook.sheet(entry))) is not None and not header.missing:
            raise CannotStart(
                N_("{file}: no visible sheet has sales, and the hidden sheet «{sheet}» does."),
                repair=N_('If it is the right one, show it in Excel or name it: --sheet "{sheet}".'),
                file=workbook.path,
                sheet=entry.name,
            )


def _no_such_sheet(workbook: Workbook, asked: str) -> CannotStart:
    names = [entry.name for entry in workbook.sheets]
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0)
    return CannotStart(
        N_("{file} has no sheet «{sheet}»."),
        repair=N_("Did you mean «{near}»? Its sheets are: {sheets}."),
        file=workbook.path,
        sheet=asked,
        near=near[0] if near else "",
        sheets=listed(names),
    )
