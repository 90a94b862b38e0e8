from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from batch_issuer.messages import Messages
from batch_issuer.reconcile import Reconciliation
from batch_issuer.reports.cells import fitting
from batch_issuer.reports.figures import printable
from batch_issuer.reports.page.page import page_text
from batch_issuer.reports.workbook.workbook import workbook_content
from tests.reports import invented

EN = Messages("en")
PIECES = (
    "</script>", "<script>", "<!--", "-->", "]]>", "<img src=x onerror=alert(1)>", "\"'><svg onload=alert(1)>", "&lt;", "&#60;",
    "{{ 7*7 }}", "{% raw %}", "{name}", "%(x)s", "\u2028", "\u2029", "\u202e", "\u2066", "\u0000", "\ud83d", "\udc00", "\ufffe", "\x0b",
    "=cmd|' /C calc'!A0", '=HYPERLINK("http://example.com")', "+1", "-1", "@SUM(A1)", "http://example.com/?q=1", "mailto:a@example.com",
    "file:///etc", "_x0041_", "<r><t>x</t></r>", "\t", "\n", "\r\n", "'", "javascript:alert(1)", "\U0001f600", "é", "\u05d0",
)  # fmt: skip
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), min_size=1, max_size=5).map("".join)


class Elements(HTMLParser):
    """What a browser would make elements and attributes of."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))


def a_hostile_day(text: str) -> Reconciliation:
    """A small day in which a text stands wherever a file, the provider or a person can write one."""
    day = invented.a_comparison(2)
    first, *others = day.records
    record = replace(
        first, external_ref=text, customer=text, branch=text, date=text, payment_method=text,
        answer=replace(first.answer, control_number=text, generation_code=text, reception_stamp=text, detail=text,
                       dte_message=text, observaciones=(text,), codigo_msg=text),
        source=replace(first.source, file=text, sheet=text),
    )  # fmt: skip
    held = day.held_back[0]
    problem = replace(
        held.problems[0], code=text, file=text, sheet=text, column=text, heading=text, value=text, external_ref=text,
        message={"en": text, "es": text}, repair={"en": text, "es": text},
    )  # fmt: skip
    return replace(
        day,
        company_name=text,
        records=(record, *others),
        held_back=(replace(held, external_ref=text, customer=text, branch=text, problems=(problem,)),),
        notes=(replace(problem, severity="warns"),),
        conflicts=(replace(day.conflicts[0], external_ref=text, changes=(replace(day.conflicts[0].changes[0], issued=text, file=text),)),),
        refusals=tuple(replace(one, code=text, message=text, records=(record,)) for one in day.refusals),
        by_branch=(replace(day.by_branch[0], name=text),),
        sources=(replace(day.sources[0], file=text, sheet=text, notes=text),),
        noted=(replace(day.noted[0], by=text, reason=text, external_ref=text),),
        sign_offs=(replace(day.sign_offs[0], sign_off=replace(day.sign_offs[0].sign_off, by=text, role=text)),),
        runs=(replace(day.runs[0], run=text, host=text, command=text),),
        stopped="The request quota was used up. {x}",
        stopped_with={"x": text},
        odd_numbers=(record,),
    )  # fmt: skip


SHAPE = Elements(page_text(a_hostile_day("x"), EN)).tags


def shape(tags: list[tuple[str, tuple[tuple[str, str | None], ...]]]) -> list[tuple[str, tuple[str, ...]]]:
    """Elements and names of attributes, without what the attributes say."""
    return [(tag, tuple(name for name, _ in attributes)) for tag, attributes in tags]


@given(hostile)
@settings(max_examples=20)
@example("".join(PIECES))
@example("=" + "x" * 40_000)
@example("</style></title></textarea></noscript></svg></dialog>")
def test_no_text_becomes_markup_script_or_link(text: str) -> None:
    """Whatever the text, the page has the same elements with the same attributes, and the same targets of links."""
    html = page_text(a_hostile_day(f"§{text}"), EN)
    tags = Elements(html).tags
    assert shape(tags) == shape(SHAPE)
    targets = [value for _, attributes in tags for name, value in attributes if name in ("href", "src", "action")]
    assert all(str(target).startswith("#") for target in targets)
    assert not re.search("[\ud800-\udfff\0]", html)
    data = re.findall(r'<script type="application/json" id="\w+">(.*?)</script>', html, re.DOTALL)
    assert [json.loads(one) for one in data]
    assert not re.search("[<>&\u2028\u2029]", data[0])


@given(hostile)
@settings(max_examples=12)
@example("".join(PIECES))
@example("=" + "x" * 40_000)
@example("\U0001f600" * 20_000)
def test_no_text_becomes_formula_or_link(text: str) -> None:
    """Whatever the text, it comes back from the workbook as the text that it was, as far as a cell holds it."""
    content = BytesIO(workbook_content(a_hostile_day(text), EN))
    with zipfile.ZipFile(content) as parts:
        assert not [name for name in parts.namelist() if "external" in name.lower()]
        for name in parts.namelist():
            root = ET.fromstring(parts.read(name))  # noqa: S314 - our own file
            assert not [one for one in root.iter() if one.tag.endswith("hyperlink") or one.get("TargetMode")]
    book = load_workbook(content)
    formulas = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert {cell.parent.title for cell in formulas} == {"Summary"}
    written = {str(cell.value) for row in book["Written notes"].iter_rows(min_row=2) for cell in row}
    expected = fitting(printable(text))
    assert expected in written or not expected
