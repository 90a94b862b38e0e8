"""The workbook's first sheet: the bridge from rows to states, with formulas over the other sheets and their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from batch_issuer.messages import N_, Messages
from batch_issuer.model.money import total_of
from batch_issuer.model.records import Record
from batch_issuer.model.states import State
from batch_issuer.reconcile import Cause, Group, Reconciliation, Step, Tally, Total
from batch_issuer.reports import figures, wording
from batch_issuer.reports.cells import write_text
from batch_issuer.reports.columns import AMOUNT, DIFFERS, INCOME_TAX, PROVIDER, REFERENCE, WITHHELD
from batch_issuer.reports.tasks import tasks
from batch_issuer.rules.catalogs import payment_methods

MONEY = "$#,##0.00;[Red]-$#,##0.00"
WHOLE = "#,##0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where a table stands: its sheet, its headings (catalog texts) and how many rows it has below them."""

    title: str
    headings: tuple[str, ...]
    rows: int

    def column(self, heading: str) -> str:
        """The cells under a heading, as a formula names them; empty where there is no such column."""
        if heading not in self.headings:
            return ""
        letter = xl_col_to_name(self.headings.index(heading))
        name = self.title.replace("'", "''")
        return f"'{name}'!${letter}$2:${letter}${self.rows + 1}"


@dataclass(frozen=True, slots=True)
class Looks:
    """Formats of the summary."""

    title: Format
    verdict: Format
    soft: Format
    head: Format
    head_right: Format
    text: Format
    right: Format
    action: Format
    whole: Format
    money: Format
    line: Format
    strong: Format
    strong_whole: Format
    strong_money: Format


def _looks(book: Workbook) -> Looks:
    head = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
    strong = {"bold": True, "top": 1}
    return Looks(
        title=book.add_format({"font_size": 11, "font_color": "#5D5A54"}),
        verdict=book.add_format({"font_size": 16, "bold": True}),
        soft=book.add_format({"font_color": "#5D5A54", "text_wrap": True, "valign": "top"}),
        head=book.add_format(head),
        head_right=book.add_format({**head, "align": "right"}),
        text=book.add_format({"valign": "top"}),
        action=book.add_format({"valign": "top", "align": "left", "indent": 2, "font_color": "#5D5A54"}),
        right=book.add_format({"valign": "top", "align": "right"}),
        whole=book.add_format({"num_format": WHOLE, "valign": "top"}),
        money=book.add_format({"num_format": MONEY, "valign": "top"}),
        line=book.add_format({"bottom": 1}),
        strong=book.add_format(strong),
        strong_whole=book.add_format({**strong, "num_format": WHOLE}),
        strong_money=book.add_format({**strong, "num_format": MONEY}),
    )


def write_summary(
    book: Workbook,
    sheet: Worksheet,
    reconciliation: Reconciliation,
    messages: Messages,
    areas: Mapping[str, Sequence[Area]],
) -> None:
    """Fill the sheet from the top: rows are written once and in order, as a workbook of any size needs."""
    page = _Page(sheet, _looks(book), messages)
    _lay_out(sheet)
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


def _lay_out(sheet: Worksheet) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, 9, 16)
    sheet.set_landscape()
    sheet.set_paper(1)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")


@dataclass(frozen=True, slots=True)
class _GroupColumn:
    """A column of a breakdown; one that is not always there needs an amount in some line."""

    heading: str
    money: bool
    always: bool
    value: Callable[[Group], int | Decimal]


_GROUP_COLUMNS = (
    _GroupColumn(N_("Documents"), False, True, lambda one: one.total.documents),
    _GroupColumn(AMOUNT, True, True, lambda one: one.total.gross),
    _GroupColumn(N_("Base"), True, True, lambda one: one.total.taxable),
    _GroupColumn(N_("VAT"), True, True, lambda one: one.total.vat),
    _GroupColumn(WITHHELD, True, True, lambda one: one.total.retention),
    _GroupColumn(INCOME_TAX, True, False, lambda one: one.total.income_tax),
    _GroupColumn(wording.NAMES[State.STAMPED], False, True, lambda one: one.states.get(State.STAMPED, 0)),
    _GroupColumn(wording.NAMES[State.CONTINGENCY], False, False, lambda one: one.states.get(State.CONTINGENCY, 0)),
    _GroupColumn(wording.NAMES[wording.HELD_BACK], False, False, lambda one: one.held_back),
    _GroupColumn(wording.NAMES[wording.MISSING], False, False, lambda one: one.missing.documents),
)


class _Page:
    """The sheet and the row that is written next."""

    def __init__(self, sheet: Worksheet, looks: Looks, messages: Messages) -> None:
        self.sheet = sheet
        self.looks = looks
        self.say = messages.text
        self.messages = messages
        self.row = 0
        self._parts: Mapping[str, Sequence[str]] = {}

    def text(self, column: int, text: str, style: Format) -> None:
        write_text(self.sheet, self.row, column, figures.printable(text), style)

    def number(self, column: int, number: int | Decimal, style: Format) -> None:
        self.sheet.write_number(self.row, column, float(number), style)

    def formula(self, column: int, formula: str, style: Format, value: int | Decimal) -> None:
        """A formula of ours with its result, so that it shows before anything computes it."""
        self.sheet.write_formula(self.row, column, formula, style, float(value))

    def headings(self, first: str, *others: str) -> None:
        self.sheet.set_row(self.row, 32)
        self.text(0, self.say(first), self.looks.head)
        for at, heading in enumerate(others, 1):
            self.text(at, self.say(heading), self.looks.head_right)
        self.row += 1

    def head(self, reconciliation: Reconciliation) -> None:
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
        waiting = tasks(reconciliation)
        if not waiting:
            return
        self.headings(N_("What to do now"), N_("Documents"), AMOUNT)
        for task in waiting:
            self.text(0, self.say(task.title), self.looks.text)
            self.number(1, task.documents, self.looks.whole)
            self.number(2, task.gross, self.looks.money)
            self.text(3, self.say(task.action), self.looks.action)
            self.row += 1
        self.row += 1

    def bridge(self, reconciliation: Reconciliation, areas: Mapping[str, Sequence[Area]]) -> None:
        """Counted in the sheets by formula, beside what the reconciliation says, and whether the two agree."""
        self.headings(
            N_("From the files to the ministry"), N_("Documents"), AMOUNT, N_("Documents reconciled"),
            N_("Amount reconciled"), N_("Agrees"),
        )  # fmt: skip
        steps = reconciliation.bridge
        row_of = {step.key: self.row + at for at, step in enumerate(steps)}
        self._parts = parts_of_results(steps)
        for step in steps:
            strong = step.sign == 0
            name = self.say(wording.NAMES.get(step.key, step.label) if step.sign else step.label)
            self.text(0, f"{'− ' if step.sign < 0 else '   ' if step.sign else ''}{name}", self._style(strong=strong))
            self._counted(step, row_of, areas)
            self.number(3, step.documents, self.looks.strong_whole if strong else self.looks.whole)
            self.number(4, step.gross, self.looks.strong_money if strong else self.looks.money)
            self._agrees()
            self.row += 1
        rows = self.messages.count("{n} row", "{n} rows", reconciliation.rows)
        self.text(0, f"{self.say(N_('Rows in the files'))}: {rows}", self.looks.title)
        self.row += 2

    def _style(self, *, strong: bool) -> Format:
        return self.looks.strong if strong else self.looks.text

    def _counted(self, step: Step, row_of: Mapping[str, int], areas: Mapping[str, Sequence[Area]]) -> None:
        strong = step.sign == 0
        styles = (self.looks.strong_whole, self.looks.strong_money) if strong else (self.looks.whole, self.looks.money)
        for column, heading, value, style in zip(
            (1, 2), (REFERENCE, AMOUNT), (Decimal(step.documents), step.gross), styles, strict=True
        ):
            self.formula(column, self._formula(step, column, heading, row_of, areas), style, value)

    def _formula(
        self, step: Step, column: int, heading: str, row_of: Mapping[str, int], areas: Mapping[str, Sequence[Area]]
    ) -> str:
        cells = {key: xl_rowcol_to_cell(row, column) for key, row in row_of.items()}
        if step.sign == 0:
            return "=" + "+".join(cells[key] for key in self._parts[step.key])
        ranges = [area.column(heading) for area in areas.get(step.key, ())]
        if not ranges:
            return f"={step.documents if column == 1 else step.gross}"
        return f"=SUM({','.join(ranges)})" if column == 2 else "=" + "+".join(f"ROWS({one})" for one in ranges)

    def _agrees(self) -> None:
        documents, amount, recorded, recorded_amount = (xl_rowcol_to_cell(self.row, column) for column in (1, 2, 3, 4))
        yes, no = self.say(N_("yes")), self.say(N_("NO"))
        formula = f'=IF(AND({documents}={recorded},ROUND({amount}-{recorded_amount},2)=0),"{yes}","{no}")'
        self.sheet.write_formula(self.row, 5, formula, self.looks.right, yes)

    def states(self, reconciliation: Reconciliation, areas: Mapping[str, Sequence[Area]]) -> None:
        self.headings(N_("By state"), N_("Documents"), AMOUNT, PROVIDER, DIFFERS, N_("Base"), N_("VAT"), WITHHELD)
        first = self.row
        sums = [Decimal(0)] * 7
        for state, total in reconciliation.states.items():
            if total.documents:
                values = _amounts(total, reconciliation.in_state(state))
                sums = [one + value for one, value in zip(sums, values, strict=True)]
                self._state(state, values, areas.get(state.value, ()))
        if self.row > first:
            self._totals(first, sums)
        self.row += 1

    def _state(self, state: State, values: Sequence[Decimal], areas: Sequence[Area]) -> None:
        headings = (AMOUNT, PROVIDER, DIFFERS, "", "", WITHHELD)
        self.text(0, self.say(wording.NAMES[state]), self.looks.text)
        self.number(1, values[0], self.looks.whole)
        for column, (heading, value) in enumerate(zip(headings, values[1:], strict=True), 2):
            self._sum(column, heading, value, areas)
        self.row += 1

    def _totals(self, first: int, sums: Sequence[Decimal]) -> None:
        self.text(0, self.say(N_("Total")), self.looks.strong)
        for column, value in enumerate(sums, 1):
            cells = f"{xl_rowcol_to_cell(first, column)}:{xl_rowcol_to_cell(self.row - 1, column)}"
            style = self.looks.strong_whole if column == 1 else self.looks.strong_money
            self.formula(column, f"=SUM({cells})", style, value)
        self.row += 1

    def _sum(self, column: int, heading: str, value: Decimal, areas: Sequence[Area]) -> None:
        ranges = [cells for area in areas if (cells := area.column(heading))]
        if ranges:
            self.formula(column, f"=SUM({','.join(ranges)})", self.looks.money, value)
        else:
            self.number(column, value, self.looks.money)

    def groups(self, reconciliation: Reconciliation) -> None:
        payments = payment_methods().names
        dimensions: tuple[tuple[str, tuple[Group, ...], Callable[[str], str]], ...] = (
            (N_("By type"), reconciliation.by_type, lambda name: wording.type_name(name, self.messages)),
            (N_("By branch"), reconciliation.by_branch, str),
            (N_("By date in the files"), reconciliation.by_day, figures.day),
            (
                N_("By payment method"),
                reconciliation.by_payment,
                lambda name: f"{name} {payments[name]}" if name in payments else name,
            ),
        )
        for title, groups, shown in dimensions:
            if groups:
                self._group(title, [(shown(group.name), group) for group in groups])

    def _group(self, title: str, groups: Sequence[tuple[str, Group]]) -> None:
        """One line for each group, and their sums by formula."""
        columns = [column for column in _GROUP_COLUMNS if column.always or any(column.value(one) for _, one in groups)]
        self.headings(title, *(column.heading for column in columns))
        first = self.row
        for name, group in groups:
            self.text(0, name or self.say(N_("(none)")), self.looks.text)
            for at, column in enumerate(columns, 1):
                self.number(at, column.value(group), self.looks.money if column.money else self.looks.whole)
            self.row += 1
        self.text(0, self.say(N_("Total")), self.looks.strong)
        for at, column in enumerate(columns, 1):
            cells = f"{xl_rowcol_to_cell(first, at)}:{xl_rowcol_to_cell(self.row - 1, at)}"
            style = self.looks.strong_money if column.money else self.looks.strong_whole
            self.formula(
                at, f"=SUM({cells})", style, sum((Decimal(column.value(one)) for _, one in groups), Decimal(0))
            )
        self.row += 2

    def comparison(self, reconciliation: Reconciliation) -> None:
        """Every document of the files in exactly one line, and the sum of the lines."""
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
        """Opening, what came, what went, closing, for the whole company."""
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
        """Lines, and their sum by formula."""
        self.headings(title, N_("Documents"), AMOUNT)
        first = self.row
        for name, tally in lines:
            self._tally(name, tally)
        self.text(0, self.say(result), self.looks.strong)
        for column, value, style in (
            (1, Decimal(sum(tally.documents for _, tally in lines)), self.looks.strong_whole),
            (2, total_of(tally.gross for _, tally in lines), self.looks.strong_money),
        ):
            cells = f"{xl_rowcol_to_cell(first, column)}:{xl_rowcol_to_cell(self.row - 1, column)}"
            self.formula(column, f"=SUM({cells})", style, value)
        self.row += 1

    def _tally(self, name: str, tally: Tally) -> None:
        self.text(0, name, self.looks.text)
        self.number(1, tally.documents, self.looks.whole)
        self.number(2, tally.gross, self.looks.money)
        self.row += 1

    def sales(self, reconciliation: Reconciliation) -> None:
        sales = reconciliation.sales
        if not sales.documents:
            return
        self.headings(N_("Sales"), N_("Documents"), AMOUNT, N_("Base"), N_("VAT"), WITHHELD)
        self.text(0, self.say(N_("Stamped or in contingency")), self.looks.text)
        self.number(1, sales.documents, self.looks.whole)
        for column, amount in enumerate((sales.gross, sales.taxable, sales.vat, sales.retention), 2):
            self.number(column, amount, self.looks.money)
        self.row += 1
        self.text(
            0,
            self.say(N_("Credit notes are taken away; purchases from excluded subjects do not count.")),
            self.looks.title,
        )
        self.row += 2

    def signed(self, reconciliation: Reconciliation) -> None:
        for one in reconciliation.sign_offs:
            self.text(0, wording.signed(one, self.messages), self.looks.text)
            self.row += 1
        if reconciliation.sign_offs:
            self.row += 1

    def signatures(self) -> None:
        for role in (N_("Prepared by"), N_("Reviewed by")):
            self.row += 1
            self.text(0, f"{self.say(role)} ({self.say(N_('name, signature, date'))})", self.looks.text)
            for column in range(1, 6):
                self.sheet.write_blank(self.row, column, None, self.looks.line)
            self.row += 1


def parts_of_results(steps: Sequence[Step]) -> dict[str, list[str]]:
    """What each result of the bridge is the sum of: the steps after it and the next result, or the states."""
    parts: dict[str, list[str]] = {}
    result = ""
    for step in steps:
        if result:
            parts[result].append(step.key)
        if step.sign == 0:
            result = step.key
            parts[result] = []
    return parts


def _amounts(total: Total, records: Sequence[Record]) -> tuple[Decimal, ...]:
    """Documents and money of one state, as the columns have them.

    The difference is the provider's amounts less ours where it answered: the sum of the column of that name.
    """
    apart = total_of(
        answered - record.expected_gross for record in records if (answered := record.answer.amounts.gross) is not None
    )
    documents = Decimal(total.documents)
    return documents, total.gross, total.provider_gross, apart, total.taxable, total.vat, total.retention
