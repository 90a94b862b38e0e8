"""The workbook's first sheet: the bridge from rows to states, with formulas over the other sheets and their results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from batch_issuer.messages import N_, Messages
from batch_issuer.model.money import total_of
from batch_issuer.model.states import State
from batch_issuer.reconcile import Cause, Group, Reconciliation, Step, Tally
from batch_issuer.reports import figures, wording
from batch_issuer.reports.cells import write_text
from batch_issuer.reports.columns import (
    AMOUNT,
    DIFFERS,
    INCOME_TAX,
    PROVIDER,
    REFERENCE,
    WITHHELD,
    Words,
    breakdowns,
    difference,
)
from batch_issuer.reports.tasks import tasks

MONEY = "$#,##0.00;[Red]-$#,##0.00"
WHOLE = "#,##0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where a table stands: its sheet, its headings (catalog texts) and how many rows it has below them."""

    title: str
    headings: tuple[str, ...]
    rows: int

    def column(self, heading: str) -> str:
        """Return the cells under a heading, as a formula names them; empty where there is no such column."""
        if heading not in self.headings:
            return ""
        letter = xl_col_to_name(self.headings.index(heading))
        name = self.title.replace("'", "''")
        return f"'{name}'!${letter}$2:${letter}${self.rows + 1}"


class Looks:
    """Formats of the summary in one workbook."""

    def __init__(self, book: Workbook) -> None:
        head = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
        strong = {"bold": True, "top": 1}
        self.title = book.add_format({"font_size": 11, "font_color": "#5D5A54"})
        self.verdict = book.add_format({"font_size": 16, "bold": True})
        self.soft = book.add_format({"font_color": "#5D5A54", "text_wrap": True, "valign": "top"})
        self.head = book.add_format(head)
        self.head_right = book.add_format({**head, "align": "right"})
        self.text = book.add_format({"valign": "top"})
        self.action = book.add_format({"valign": "top", "align": "left", "indent": 2, "font_color": "#5D5A54"})
        self.right = book.add_format({"valign": "top", "align": "right"})
        self.whole = book.add_format({"num_format": WHOLE, "valign": "top"})
        self.money = book.add_format({"num_format": MONEY, "valign": "top"})
        self.line = book.add_format({"bottom": 1})
        self.strong = book.add_format(strong)
        self.strong_whole = book.add_format({**strong, "num_format": WHOLE})
        self.strong_money = book.add_format({**strong, "num_format": MONEY})

    def figure(self, value: int | Decimal, *, strong: bool) -> Format:
        """Return how a figure looks: whole numbers are counts, and Decimals are money."""
        if isinstance(value, int):
            return self.strong_whole if strong else self.whole
        return self.strong_money if strong else self.money


def write_summary(
    book: Workbook,
    sheet: Worksheet,
    reconciliation: Reconciliation,
    messages: Messages,
    areas: Mapping[str, Sequence[Area]],
) -> None:
    """Fill the sheet from the top: rows are written once and in order, as a workbook of any size needs."""
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, 9, 16)
    sheet.set_landscape()
    sheet.set_paper(1)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")
    page = _Page(sheet, Looks(book), messages)
    page.head(reconciliation)
    page.tasks(reconciliation)
    page.bridge(reconciliation, areas)
    page.comparison(reconciliation)
    page.states(reconciliation, areas)
    page.sales(reconciliation)
    page.contingency(reconciliation)
    page.groups(reconciliation)
    page.signed(reconciliation)
    page.signatures()


@dataclass(frozen=True, slots=True)
class _GroupColumn:
    """A column of a breakdown: a count or money. One that is not always there needs something in some line."""

    heading: str
    always: bool
    value: Callable[[Group], int | Decimal]


_GROUP_COLUMNS = (
    _GroupColumn(N_("Documents"), True, lambda one: one.total.documents),
    _GroupColumn(AMOUNT, True, lambda one: one.total.gross),
    _GroupColumn(N_("Base"), True, lambda one: one.total.taxable),
    _GroupColumn(N_("VAT"), True, lambda one: one.total.vat),
    _GroupColumn(WITHHELD, True, lambda one: one.total.retention),
    _GroupColumn(INCOME_TAX, False, lambda one: one.total.income_tax),
    _GroupColumn(wording.NAMES[State.STAMPED], True, lambda one: one.states.get(State.STAMPED, 0)),
    _GroupColumn(wording.NAMES[State.CONTINGENCY], False, lambda one: one.states.get(State.CONTINGENCY, 0)),
    _GroupColumn(wording.NAMES[wording.HELD_BACK], False, lambda one: one.held_back),
    _GroupColumn(wording.NAMES[wording.MISSING], False, lambda one: one.missing.documents),
)


class _Page:
    """The sheet and the row that is written next."""

    def __init__(self, sheet: Worksheet, looks: Looks, messages: Messages) -> None:
        self.sheet = sheet
        self.looks = looks
        self.say = messages.text
        self.messages = messages
        self.row = 0

    def text(self, column: int, text: str, style: Format) -> None:
        """Write a text into the row that is next."""
        write_text(self.sheet, self.row, column, figures.printable(text), style)

    def number(self, column: int, number: int | Decimal, *, strong: bool = False) -> None:
        """Write a count or an amount into the row that is next."""
        self.sheet.write_number(self.row, column, float(number), self.looks.figure(number, strong=strong))

    def formula(self, column: int, formula: str, value: int | Decimal, *, strong: bool = False) -> None:
        """Write a formula of ours with its result, so that it shows before anything computes it."""
        style = self.looks.figure(value, strong=strong)
        self.sheet.write_formula(self.row, column, formula, style, float(value))

    def sums(self, name: str, first: int, values: Iterable[int | Decimal]) -> None:
        """Write the sums of the rows from `first` on, by formula: `values` are their results, whole ones of counts."""
        self.text(0, self.say(name), self.looks.strong)
        for column, value in enumerate(values, 1):
            cells = f"{xl_rowcol_to_cell(first, column)}:{xl_rowcol_to_cell(self.row - 1, column)}"
            self.formula(column, f"=SUM({cells})", value, strong=True)
        self.row += 1

    def headings(self, first: str, *others: str) -> None:
        """Write a row of headings (catalog texts), and go on to the next."""
        self.sheet.set_row(self.row, 32)
        self.text(0, self.say(first), self.looks.head)
        for at, heading in enumerate(others, 1):
            self.text(at, self.say(heading), self.looks.head_right)
        self.row += 1

    def head(self, reconciliation: Reconciliation) -> None:
        """Write whose figures these are, the verdict, and as of when."""
        self.text(0, reconciliation.company_name or reconciliation.company, self.looks.title)
        self.row += 1
        self.sheet.set_row(self.row, 26)
        self.text(0, self.say(reconciliation.verdict, **reconciliation.verdict_parameters), self.looks.verdict)
        self.row += 1
        known = N_("What was known on {moment}, El Salvador time. Fingerprint of these figures: {fingerprint}")
        self.text(
            0,
            self.say(
                known,
                moment=figures.moment(reconciliation.as_of) or "–",
                fingerprint=figures.fingerprint(reconciliation),
            ),
            self.looks.title,
        )
        self.row += 1
        if reconciliation.stopped:
            self.text(0, self.say(reconciliation.stopped, **reconciliation.stopped_with), self.looks.title)
            self.row += 1
        self.row += 1

    def tasks(self, reconciliation: Reconciliation) -> None:
        """Write what somebody has to do now; nothing where there is nothing."""
        waiting = tasks(reconciliation)
        if not waiting:
            return
        self.headings(N_("What to do now"), N_("Documents"), AMOUNT)
        for task in waiting:
            self.text(0, self.say(task.title), self.looks.text)
            self.number(1, task.documents)
            self.number(2, task.gross)
            self.text(3, self.say(task.action), self.looks.action)
            self.row += 1
        self.row += 1

    def bridge(self, reconciliation: Reconciliation, areas: Mapping[str, Sequence[Area]]) -> None:
        """Write what formulas count in the sheets, beside what the reconciliation says, and whether the two agree."""
        self.headings(
            N_("From the files to the ministry"), N_("Documents"), AMOUNT, N_("Documents reconciled"),
            N_("Amount reconciled"), N_("Agrees"),
        )  # fmt: skip
        steps, looks = reconciliation.bridge, self.looks
        row_of = {step.key: self.row + at for at, step in enumerate(steps)}
        parts = {key: [row_of[part] for part in of] for key, of in parts_of_results(steps).items()}
        yes, no = self.say(N_("yes")), self.say(N_("NO"))
        for step in steps:
            name = self.say(wording.NAMES.get(step.key, step.label) if step.sign else step.label)
            named = f"{'− ' if step.sign < 0 else '   ' if step.sign else ''}{name}"
            strong = step.sign == 0
            counted, summed = _bridge_formulas(step, parts.get(step.key, ()), areas.get(step.key, ()))
            self.text(0, named, looks.strong if strong else looks.text)
            self.formula(1, counted, step.documents, strong=strong)
            self.formula(2, summed, step.gross, strong=strong)
            self.number(3, step.documents, strong=strong)
            self.number(4, step.gross, strong=strong)
            b, c, d, e = (xl_rowcol_to_cell(self.row, column) for column in (1, 2, 3, 4))
            # Spreadsheets add in binary: a sum of cents is a hair beside the cent.
            agrees = f'=IF(AND({b}={d},ROUND({c}-{e},2)=0),"{yes}","{no}")'
            self.sheet.write_formula(self.row, 5, agrees, looks.right, yes)
            self.row += 1
        rows = self.messages.count("{n} row", "{n} rows", reconciliation.rows)
        self.text(0, f"{self.say(N_('Rows in the files'))}: {rows}", looks.title)
        self.row += 2

    def states(self, reconciliation: Reconciliation, areas: Mapping[str, Sequence[Area]]) -> None:
        """Write documents and money by state, counted in the state's sheet where that has the column."""
        self.headings(N_("By state"), N_("Documents"), AMOUNT, PROVIDER, DIFFERS, N_("Base"), N_("VAT"), WITHHELD)
        first, found = self.row, []
        for state, total in reconciliation.states.items():
            if not total.documents:
                continue
            # As the column of that name has it: the provider's amounts less ours, where it answered.
            apart = total_of(map(difference, reconciliation.in_state(state)))
            found.append((total.gross, total.provider_gross, apart, total.taxable, total.vat, total.retention))
            self.text(0, self.say(wording.NAMES[state]), self.looks.text)
            self.number(1, total.documents)
            headings = (AMOUNT, PROVIDER, DIFFERS, "", "", WITHHELD)
            for column, (heading, value) in enumerate(zip(headings, found[-1], strict=True), 2):
                ranges = filter(None, (area.column(heading) for area in areas.get(state.value, ())))
                if said := ",".join(ranges):
                    self.formula(column, f"=SUM({said})", value)
                else:
                    self.number(column, value)
            self.row += 1
        if found:
            documents = sum(total.documents for total in reconciliation.states.values())
            self.sums(N_("Total"), first, (documents, *map(total_of, zip(*found, strict=True))))
        self.row += 1

    def groups(self, reconciliation: Reconciliation) -> None:
        """Write the breakdowns: a line for each group, and their sums."""
        for title, _, groups in breakdowns(reconciliation, Words(self.messages)):
            shown = [one for one in _GROUP_COLUMNS if one.always or any(one.value(group) for _, group in groups)]
            self.headings(title, *(column.heading for column in shown))
            first = self.row
            for name, group in groups:
                self.text(0, name, self.looks.text)
                for at, column in enumerate(shown, 1):
                    self.number(at, column.value(group))
                self.row += 1
            self.sums(N_("Total"), first, (sum(map(column.value, (one for _, one in groups))) for column in shown))
            self.row += 1

    def comparison(self, reconciliation: Reconciliation) -> None:
        """Write every document of the files in exactly one line, and the sum of the lines."""
        found = reconciliation.comparison
        if found is None:
            return
        lines = [(self.say(wording.MATCH_NAMES[match]), tally) for match, tally in found.matches.items()]
        self._walk(N_("Files against the ledger"), lines, N_("Documents of the files"))
        if reconciliation.only_in_ledger:
            self._tally(
                self.say(wording.CAUSE_TITLES[Cause.ONLY_IN_LEDGER]),
                Tally(
                    documents=len(reconciliation.only_in_ledger),
                    gross=total_of(one.expected_gross for one in reconciliation.only_in_ledger),
                ),
            )
        self.row += 1

    def contingency(self, reconciliation: Reconciliation) -> None:
        """Write opening, what came, what went and closing, for the whole company."""
        waits = reconciliation.contingency
        if not (waits.opening.documents or waits.entered.documents or waits.closing.documents):
            return
        lines = [
            (self.say(N_("Open at the beginning")), waits.opening),
            (f"+ {self.say(N_('came into contingency'))}", waits.entered),
            *(
                (f"− {self.say(wording.NAMES[state])}", Tally(documents=-tally.documents, gross=-tally.gross))
                for state, tally in waits.settled.items()
            ),
        ]
        self._walk(N_("In contingency, the whole company"), lines, N_("Open at the end"))
        self.row += 1

    def _walk(self, title: str, lines: Sequence[tuple[str, Tally]], result: str) -> None:
        """Write lines, and their sum by formula."""
        self.headings(title, N_("Documents"), AMOUNT)
        first = self.row
        for name, tally in lines:
            self._tally(name, tally)
        documents, gross = sum(tally.documents for _, tally in lines), total_of(tally.gross for _, tally in lines)
        self.sums(result, first, (documents, gross))

    def _tally(self, name: str, tally: Tally) -> None:
        self.text(0, name, self.looks.text)
        self.number(1, tally.documents)
        self.number(2, tally.gross)
        self.row += 1

    def sales(self, reconciliation: Reconciliation) -> None:
        """Write the sales of the day: issued documents, less credit notes, without purchases."""
        sales = reconciliation.sales
        if not sales.documents:
            return
        self.headings(N_("Sales"), N_("Documents"), AMOUNT, N_("Base"), N_("VAT"), WITHHELD)
        self.text(0, self.say(N_("Stamped or in contingency")), self.looks.text)
        self.number(1, sales.documents)
        for column, amount in enumerate((sales.gross, sales.taxable, sales.vat, sales.retention), 2):
            self.number(column, amount)
        self.row += 1
        self.text(
            0,
            self.say(N_("Credit notes are taken away; purchases from excluded subjects do not count.")),
            self.looks.title,
        )
        self.row += 2

    def signed(self, reconciliation: Reconciliation) -> None:
        """Write who answered for these figures."""
        for one in reconciliation.sign_offs:
            self.text(0, wording.signed(one, self.messages), self.looks.text)
            self.row += 1
        if reconciliation.sign_offs:
            self.row += 1

    def signatures(self) -> None:
        """Write lines to sign on paper."""
        for role in (N_("Prepared by"), N_("Reviewed by")):
            self.row += 1
            self.text(0, f"{self.say(role)} ({self.say(N_('name, signature, date'))})", self.looks.text)
            for column in range(1, 6):
                self.sheet.write_blank(self.row, column, None, self.looks.line)
            self.row += 1


def parts_of_results(steps: Sequence[Step]) -> dict[str, list[str]]:
    """Return what each result of the bridge is the sum of: the steps after it and the next result, or the states."""
    parts: dict[str, list[str]] = {}
    result = ""
    for step in steps:
        if result:
            parts[result].append(step.key)
        if step.sign == 0:
            result = step.key
            parts[result] = []
    return parts


def _bridge_formulas(step: Step, rows: Iterable[int], areas: Iterable[Area]) -> tuple[str, str]:
    """Return the formulas for a step's documents and amount: a result out of its `rows`, a state out of its sheets."""
    if step.sign == 0:
        rows = [*rows]
        counted, summed = ("=" + "+".join(xl_rowcol_to_cell(row, column) for row in rows) for column in (1, 2))
        return counted, summed
    # ROWS counts a document without a reference too; several sheets have one state where a sheet is full.
    areas = [*areas]
    counts = [f"ROWS({cells})" for area in areas if (cells := area.column(REFERENCE))]
    sums = [cells for area in areas if (cells := area.column(AMOUNT))]
    if not sums:  # there is no sheet of it, or an empty one
        return f"={step.documents}", f"={step.gross}"
    return f"={'+'.join(counts)}", f"=SUM({','.join(sums)})"
