from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from batch_issuer.messages import Messages
from batch_issuer.model.problems import StoppedMidway
from batch_issuer.model.states import State
from batch_issuer.reconcile import Match, Reconciliation
from batch_issuer.reports import figures
from batch_issuer.reports.page.exceptions import NAMES, TABLE_ROWS
from batch_issuer.reports.page.listing import BRIEF
from batch_issuer.reports.page.page import page_text, write_page
from tests.reports import invented

EN = Messages("en")
LANGUAGES = ("es", "en")


class Page(HTMLParser):
    """What a browser without script would have: elements, attributes and visible text."""

    INLINE = frozenset({"a", "b", "bdi", "code", "em", "kbd", "mark", "q", "small", "span", "strong"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.said: list[str] = []
        self._raw = ""
        self._inside = ""
        self._attributes: dict[str, str | None] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.INLINE:
            self.said.append(" ")
        if tag in ("script", "style"):
            self._inside, self._raw, self._attributes = tag, "", dict(attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside == "script":
            self.scripts.append((self._attributes, self._raw))
        elif tag == self._inside == "style":
            self.styles.append(self._raw)
        if tag == self._inside:
            self._inside = ""
        if tag not in self.INLINE:
            self.said.append(" ")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._raw += data
        else:
            self.said.append(data)

    @cached_property
    def text(self) -> str:
        return " ".join("".join(self.said).split())

    @property
    def listing(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            next(raw for attributes, raw in self.scripts if attributes.get("id") == "listing")
        )
        return found


@pytest.fixture(scope="module")
def day() -> Reconciliation:
    return invented.a_day()


@pytest.fixture(scope="module")
def page(day: Reconciliation) -> Page:
    return Page(page_text(day, EN))


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_figures_give_the_same_bytes(tmp_path: Path, language: str) -> None:
    """Nothing of the clock, the machine or the order of hashing gets into the page."""
    write_page(invented.a_day(), Messages(language), tmp_path / "one.html")
    write_page(invented.a_day(), Messages(language), tmp_path / "two.html")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_texts_of_files_never_become_markup(page: Page) -> None:
    """Only our own elements are there, none of them loads anything or holds an event, and there is one script of ours."""
    allowed = {"a", "svg", "use", "h1", "h2", "h3"}
    assert not [tag for tag, _ in page.tags if tag in ("img", "iframe", "object", "embed", "link", "base")]
    assert not [(tag, name) for tag, attributes in page.tags for name in attributes if name.startswith("on")]
    assert not [
        (tag, name) for tag, attributes in page.tags for name in attributes if name in ("src", "style", "action")
    ]
    links = {(tag, attributes["href"]) for tag, attributes in page.tags if "href" in attributes}
    assert {tag for tag, _ in links} <= allowed
    assert all(str(target).startswith("#") for _, target in links)
    assert [attributes.get("type") for attributes, _ in page.scripts] == ["application/json", "application/json", None]


def test_texts_of_files_are_shown_as_they_are(page: Page) -> None:
    """Every hostile text can be read on the page, letter for letter."""
    for trap in (*invented.TRAPS, invented.LONG_REF):
        assert " ".join(trap.split()) in page.text


def test_data_for_the_script_cannot_end_its_element(day: Reconciliation) -> None:
    """The embedded JSON has no character that means something in HTML, and reads back whole."""
    html = page_text(day, EN)
    raw = html.split('id="listing">', 1)[1].split("</script>", 1)[0]
    assert not re.search("[<>&]", raw)
    references = json.loads(raw)["columns"]["ref"]
    held = [one.external_ref for one in day.held_back]
    assert references == [record.external_ref for record in day.records] + held


def test_policy_allows_the_two_inline_parts_and_nothing_else(page: Page) -> None:
    """The content-security policy names style and script by their digests; there is no unsafe word in it."""
    policy = next(str(a["content"]) for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    ours = [raw for attributes, raw in page.scripts if not attributes]

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    assert policy == (
        f"default-src 'none'; style-src {digest(page.styles[0])}; script-src {digest(ours[0])}; "
        "base-uri 'none'; form-action 'none'"
    )
    assert (len(page.styles), len(ours)) == (1, 1)


def test_everything_that_needs_a_person_is_there_without_script(day: Reconciliation, page: Page) -> None:
    """Conflicts, doubts, refusals, differences and held-back documents are plain text, with place, value and repair."""
    for conflict in day.conflicts:
        assert conflict.external_ref in page.text
        assert all(" ".join(change.file.split()) in page.text for change in conflict.changes)
    for refusal in day.refusals:
        assert " ".join(refusal.message.split()) in page.text
        assert all(record.external_ref in page.text for record in refusal.records)
    for difference in day.beyond_tolerance:
        assert difference.record.external_ref in page.text
    for held in day.held_back:
        assert " ".join(held.external_ref.split()) in page.text
        for problem in held.problems:
            assert f"row {problem.row}" in page.text
            assert f"{problem.column} «{problem.heading}»" in page.text


def test_first_screen_bridges_rows_to_states_to_the_cent(day: Reconciliation, page: Page) -> None:
    """Each step of the bridge has its documents and its amount, and nothing remains unexplained."""
    start = page.text.index("From the files to the ministry")
    bridge = page.text[start : page.text.index("The states add up", start) + 60]
    assert f"{day.rows:,} rows" in bridge
    for step in day.bridge:
        assert f"{step.documents:,} {figures.money(step.gross)}" in bridge
    assert "The states add up 0 $0.00" in bridge


def test_sections_stand_in_the_order_of_urgency(page: Page) -> None:
    """Who reads from the top meets what cannot wait first."""
    wanted = [
        "verdict", "conflict", "unsure", "not-sent", "rejected", "invalid", "difference", "problem", "contingency",
        "notes", "money", "sequences", "documents", "sources", "signatures",
    ]  # fmt: skip
    found = [attributes["id"] for _, attributes in page.tags if attributes.get("id") in wanted]
    assert found == wanted


def test_problems_of_one_kind_stand_under_one_sentence_with_one_repair(page: Page) -> None:
    """A cause is told once, with its count; what differs from row to row is left open in the sentence."""
    assert (
        page.text.count("The municipality «…» is not in the ministry's catalog (CAT-013).") == 2
    )  # heading and caption
    assert f"{len(invented.TRAPS) + 6} documents · unknown-municipality" in page.text
    assert page.text.count("Write its name or its code as in the catalog.") == 1


def test_contingency_is_ordered_and_marked_by_age(page: Page) -> None:
    """The oldest stands first; what waits for more than a day says so."""
    start = page.text.index("Documents in contingency, the oldest first")
    listed = re.findall(r"F-0007\d\d", page.text[start : start + 3000])
    assert listed[:5] == ["F-000704", "F-000703", "F-000702", "F-000701", "F-000700"]
    assert len(re.findall(r" (?:h|min) late ", page.text)) == 4


def test_nothing_to_do_says_so() -> None:
    """A day without trouble has a short page and no section that asks for anything."""
    page = Page(page_text(invented.a_quiet_day(), EN))
    assert "All 120 documents are stamped." in page.text
    assert "What to do now Nothing." in page.text
    assert not [1 for tag, attributes in page.tags if tag == "section" and "needs" in (attributes.get("class") or "")]


def test_what_files_ledger_and_provider_disagree_about_is_there() -> None:
    """Three-way findings, the bridge of contingency, what is open from other days, notes, signatures, changes."""
    day = invented.a_comparison()
    page = Page(page_text(day, EN))
    contingency = day.contingency
    assert day.comparison is not None
    changed = day.comparison.matches[Match.CHANGED]
    assert changed.documents == 2
    for said in (
        "F-000042 Stamped not known there The provider does not know it any more. $11.00",
        "N-0001 Ferretería La Muestra, S.A. de C.V. ventas-noviembre.xlsx · Ventas · row 5001 Casa Matriz 01 Invoice",
        "the same in everything else as F-000003, which is in the ledger",
        f"Open at the beginning {contingency.opening.documents} ${contingency.opening.gross:,.2f}",
        f"+came into contingency {contingency.entered.documents} ${contingency.entered.gross:,.2f}",
        f"Open at the end {contingency.closing.documents} ${contingency.closing.gross:,.2f}",
        "F-000330 Consumidor final In contingency",
        f"Known with other content {changed.documents} ${changed.gross:,.2f}",
        "The provider was asked about 40 documents.",
        "F-000041 In contingency Stamped",
        "F-000040 El proveedor avisó de una falla. Ana Preparadora 20/11/2026 10:34",
        "Prepared by Ana Preparadora on 20/11/2026 10:33; nothing has changed since.",
        "Reviewed by Luis Revisor on 20/11/2026 10:38; 2 documents have changed since.",
        "1 resolved 5 still open 1 gone 4 new",
        "01 Invoice the provider has it: Stamped",
        "F-000999 Rejected by the ministry 096 $45.60",
        "F-000011 Ferretería La Muestra, S.A. de C.V. F-000012 in the files $20.00",
        "31/10/2026 20/11/2026 20/11/2026",
    ):
        assert said in page.text
    sections = [attributes.get("id") for tag, attributes in page.tags if tag == "section"]
    links = {attributes.get("href") for tag, attributes in page.tags if tag == "a"}
    assert [link for link in links if str(link).removeprefix("#") not in [*sections, "main"]] == []


def test_a_short_list_is_complete_without_script() -> None:
    """Up to a few hundred documents the whole list is in the page as a table too."""
    day = invented.a_quiet_day()
    page = Page(page_text(day, EN))
    assert all(record.external_ref in page.text for record in day.records)


def test_an_empty_ledger_has_a_page_too() -> None:
    """Where nothing was done the page says that, instead of failing."""
    assert "There is nothing to issue here." in Page(page_text(invented.nothing(), EN)).text


def test_a_stopped_run_says_why(day: Reconciliation) -> None:
    """The sentence that ended the run stands under the verdict."""
    stopped = replace(day, stopped="The request quota was used up.")
    text = Page(page_text(stopped, EN)).text
    assert "The run stopped before its end." in text
    assert "The request quota was used up." in text


def test_thousands_of_refusals_do_not_drown_the_page() -> None:
    """One row of a table for each would not open; the rest is named in brief, beyond that counted, and in the list."""
    bad = invented.a_bad_day(15_000)
    page = Page(page_text(bad, EN))
    rows = sum(1 for tag, attributes in page.tags if tag == "tr" and "data-stop" in attributes)
    assert rows <= TABLE_ROWS
    assert len(page.tags) < 12_000
    named = [record.external_ref for record in bad.records if f"{record.external_ref} (" in page.text]
    assert len(named) == NAMES
    assert f"… and {15_000 - NAMES - rows:,} that only the workbook names." in page.text
    listing = page.listing
    assert len(listing["columns"]["ref"]) == 15_000
    assert [listing["sets"][one] for one in listing["reason"]] == [[0]] * 15_000


def test_problems_of_one_document_and_column_stand_in_one_line() -> None:
    """A return of forty lines is one thing to look at, with its rows and its values."""
    problems = [invented.quantity("H-1", row, str(-(row % 3))) for row in range(10, 50)]
    day = invented.of([], invented.runs(1, invented.summary_of([], [invented.held_back(1, *problems, ref="H-1")])))
    page = Page(page_text(day, EN))
    assert "1 document · 40 problems · quantity-not-positive" in page.text
    assert "H-1 Tienda La Prueba ventas-noviembre.xlsx · Ventas · rows 10–49 D «Cantidad» -1 -2 0" in page.text


def test_more_documents_than_a_page_holds_are_left_to_the_workbook() -> None:
    """The page says how many stamped documents it does not list, and still lists those that need somebody."""
    month = invented.a_month(500)
    many = replace(month, records=(*month.records, *(month.in_state(State.STAMPED) * (BRIEF // 400))))
    page = Page(page_text(many, EN))
    left_out = len(many.in_state(State.STAMPED))
    assert f"{left_out:,} stamped or cancelled documents are in the workbook only" in page.text
    assert len(page.listing["columns"]["ref"]) == len(many.records) - left_out + len(many.held_back)


def test_documents_of_a_big_day_fit_into_six_megabytes() -> None:
    """The size of the page for 26,000 documents, reckoned from a tenth of them."""
    small, large = (len(page_text(invented.a_month(count), EN).encode()) for count in (1300, 2600))
    assert small + (large - small) / 1300 * 24_700 < 6_000_000


def test_amounts_and_times_are_written_as_in_el_salvador(day: Reconciliation, page: Page) -> None:
    """Six hours before UTC, day first, dollars with comma and point."""
    assert "20/11/2026 08:03" in page.text
    assert f"${day.states[State.STAMPED].gross:,.2f}" in page.text
    assert re.search(r"\$\d{3},\d{3}\.\d\d", page.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_names_its_language(day: Reconciliation, language: str) -> None:
    """A screen reader reads it in the right voice."""
    page = Page(page_text(day, Messages(language)))
    assert ("html", {"lang": language}) in page.tags
    assert ("Qué hacer ahora" in page.text) is (language == "es")


def test_every_table_has_a_caption_and_headings_with_scope(page: Page) -> None:
    """Whoever cannot see the table still knows what a cell belongs to."""
    names = [tag for tag, _ in page.tags]
    assert names.count("table") == names.count("caption")
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.tags if tag == "th")


def test_pictures_say_what_they_show(page: Page) -> None:
    """A picture with content of its own has a title; every other one is hidden from screen readers."""
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert all(
        a.get("aria-hidden") == "true" or (a.get("role") == "img" and a.get("aria-labelledby")) for a in pictures
    )
    assert sum(1 for a in pictures if a.get("role") == "img") == 2
    assert f"Documents by state: Held back {len(invented.TRAPS) + 9} (" in page.text


def test_lone_surrogates_and_control_characters_are_written(day: Reconciliation, tmp_path: Path) -> None:
    """A damaged text does not keep the report from being written."""
    record = replace(day.records[0], external_ref="F-\ud800\x07", customer="\x00\udfff")
    write_page(replace(day, records=(record, *day.records[1:])), EN, tmp_path / "report.html")
    assert "F-\ufffd" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_company_name_cannot_end_the_style(day: Reconciliation) -> None:
    """The foot of each printed page names the company, in escapes only."""
    named = replace(day, company_name='</style><script>"}*{display:none}')
    page = Page(page_text(named, EN))
    assert len(page.scripts) == 3
    assert "</style" not in page.styles[0]
    assert '"}' not in page.styles[0].split("@bottom-left")[-1].replace('"}}', "")


def test_folder_that_cannot_be_written_is_told(day: Reconciliation, tmp_path: Path) -> None:
    """A report is no reason for a traceback: the sentence says what to do, and the ledger has everything."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoppedMidway) as stopped:
        write_page(day, EN, tmp_path / "file" / "report.html")
    assert "cannot be written" in str(stopped.value)
    assert "The ledger has everything." in str(stopped.value)


def test_an_older_page_is_replaced_whole_and_leaves_nothing_beside(day: Reconciliation, tmp_path: Path) -> None:
    """No half page, no temporary file."""
    path = tmp_path / "new folder" / "report.html"
    write_page(day, EN, path)
    write_page(invented.nothing(), EN, path)
    assert path.read_text(encoding="utf-8") == page_text(invented.nothing(), EN)
    assert list(path.parent.iterdir()) == [path]


def test_repeated_and_missing_control_numbers_are_told(day: Reconciliation) -> None:
    """A number that came twice stands in the series' row; so do the holes between first and last."""
    twice = replace(
        day.records[5], answer=replace(day.records[5].answer, control_number="DTE-77-M001P001-000000000000001")
    )
    later = replace(
        day.records[6], answer=replace(day.records[6].answer, control_number="DTE-77-M001P001-000000000000009")
    )
    other = replace(twice, external_ref="another")
    page = Page(page_text(invented.of([twice, other, later, *day.records[7:]], list(day.runs)), EN))
    row = page.text[page.text.index("DTE-77-M001P001 2026 3") :][:80]
    assert row.startswith("DTE-77-M001P001 2026 3 1 9 7 numbers 2–8 1")


def test_difference_in_the_bridge_would_be_seen(day: Reconciliation) -> None:
    """If the states did not add up, the page would say so instead of hiding it."""
    last = day.bridge[-1]
    broken = replace(last, gross=last.gross - Decimal("0.01"))
    text = Page(page_text(replace(day, bridge=(*day.bridge[:-1], broken)), EN)).text
    assert "Not accounted for 0 $0.01" in text
