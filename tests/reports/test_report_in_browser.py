from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from batch_issuer.messages import Messages
from batch_issuer.model.states import State
from batch_issuer.reports.page.page import write_page
from tests.reports import invented

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PHONE = {"width": 375, "height": 812}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page of an eventful day in both languages, and that of a month."""
    folder = tmp_path_factory.mktemp("reports")
    for language in ("es", "en"):
        write_page(invented.a_day(), Messages(language), folder / f"day-{language}.html")
    write_page(invented.a_month(26_000), Messages("es"), folder / "month.html")
    write_page(invented.a_quiet_day(), Messages("es"), folder / "quiet.html")
    write_page(invented.a_comparison(2), Messages("es"), folder / "compared.html")
    return folder


class Opened:
    """A page in a browser, with everything that it complained about or asked the network for."""

    def __init__(self, browser: Browser, path: Path, viewport: dict[str, int], **options: Any) -> None:
        self.context = browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def rows(self) -> list[str]:
        return self.page.locator("#rows tr[data-position] .ref").all_inner_texts()


@pytest.fixture
def opened(browser: Browser, reports: Path) -> Iterator[Any]:
    """Opens a page of the folder; every page is closed at the end."""
    contexts = []

    def open_page(name: str, viewport: dict[str, int] = DESK, **options: Any) -> Opened:
        one = Opened(browser, reports / name, viewport, **options)
        contexts.append(one.context)
        return one

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", ["day-es.html", "day-en.html", "month.html", "quiet.html"])
def test_opens_without_complaint_and_without_network(opened: Any, name: str) -> None:
    """No error, no breach of the content-security policy, no request but for the file itself."""
    one = opened(name)
    one.page.locator("#count").wait_for()
    assert one.complaints == []
    assert [url for url in one.requests if not url.endswith(name)] == []


def test_hostile_texts_run_nothing_in_the_list_either(opened: Any) -> None:
    """Searching for a document with a tag in its name shows the tag as text."""
    one = opened("day-es.html")
    one.page.on("dialog", lambda dialog: pytest.fail(f"a text of the file ran: {dialog.message}"))
    one.page.fill("#query", "onerror")
    assert any(invented.SCRIPT in text for text in one.rows())
    one.page.locator("#rows tr[data-position]").first.click()
    assert invented.SCRIPT in one.page.locator("#detail-title").inner_text()
    assert one.page.locator("img").count() == 0
    assert one.complaints == []


def test_search_finds_by_every_column_whatever_the_accents(opened: Any) -> None:
    """Several words narrow the search; accents and capitals do not count."""
    one = opened("day-es.html")
    one.page.fill("#query", "f-000123")
    assert one.rows() == ["F-000123"]
    one.page.fill("#query", "FERRETERIA muestra")
    assert {"Ferretería La Muestra, S.A. de C.V."} == set(
        one.page.locator("#rows tr[data-position] .c-customer").all_inner_texts()
    )
    one.page.fill("#query", "there is no such thing")
    assert "Ningún documento coincide." in one.page.locator("#rows").inner_text()


def test_filters_count_and_sum_what_they_show(opened: Any) -> None:
    """The line above the list says how many documents and how much money the filters leave."""
    day = invented.a_day()
    one = opened("day-en.html")
    one.page.locator("#by-state").select_option(label=f"In contingency ({len(day.in_state(State.CONTINGENCY))})")
    total = day.states[State.CONTINGENCY]
    everything = len(day.records) + len(day.held_back)
    assert (
        one.page.locator("#count").inner_text() == f"{total.documents} of {everything} documents · ${total.gross:,.2f}"
    )


def test_sorting_by_amount_goes_both_ways(opened: Any) -> None:
    """A click on a heading sorts upwards, another downwards, and the heading says which."""
    one = opened("day-en.html")
    heading = one.page.locator("th[data-key=cents]")
    amounts = one.page.locator("#rows tr[data-position] td:last-child")

    def shown() -> list[float]:
        return [float(re.sub("[$,]", "", text)) for text in amounts.all_inner_texts()]

    heading.locator("button").click()
    assert (shown(), heading.get_attribute("aria-sort")) == (sorted(shown()), "ascending")
    heading.locator("button").click()
    assert (shown(), heading.get_attribute("aria-sort")) == (sorted(shown(), reverse=True), "descending")


def test_a_big_day_draws_only_the_rows_in_sight(opened: Any) -> None:
    """26,000 documents are data, not elements; the end of the list is reached by scrolling."""
    one = opened("month.html")
    held = len(invented.everything_held_back())
    assert one.page.locator("#count").inner_text().startswith(f"{26_000 + held:,} de {26_000 + held:,} documentos · $")
    assert one.page.locator("#rows tr").count() < 80
    assert one.page.evaluate("document.getElementsByTagName('*').length") < 25_000
    one.page.locator("#list").evaluate("box => { box.scrollTop = box.scrollHeight }")
    last = invented.everything_held_back()[-1]["external_ref"]
    one.page.locator("#rows .ref", has_text=last.strip()).wait_for()


@pytest.mark.parametrize("name", ["day-es.html", "day-en.html", "quiet.html", "month.html"])
def test_a_phone_needs_no_sideways_scrolling(opened: Any, name: str) -> None:
    """At 375 pixels the page is as wide as the screen; wide tables scroll within themselves."""
    page = opened(name, PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_keys_move_between_the_things_to_look_at(opened: Any) -> None:
    """`j` and `k` go to the next and the previous one, `/` to the search; they can be turned off."""
    page = opened("day-en.html").page
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent").startswith("F-000007")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") == second
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "query"
    page.locator("#keys-on").uncheck()
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "query"


def test_list_can_be_read_by_keyboard(opened: Any) -> None:
    """Arrows choose a document, Enter opens it, Escape closes it."""
    page = opened("day-en.html").page
    page.locator("#table").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    assert page.locator("#table").get_attribute("aria-activedescendant") == "row-1"
    page.keyboard.press("Enter")
    assert page.locator("#detail-title bdi").inner_text() == "F-000002"
    assert "DTE-" in page.locator("#detail-list").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#detail").is_visible()


def test_list_is_narrowed_to_one_cause_from_where_the_page_tells_it(opened: Any) -> None:
    """The link beside a group shows exactly its documents in the list; one button shows all again."""
    day = invented.a_day()
    page = opened("day-en.html").page
    page.locator("#invalid .to-list").first.click()
    invalid = len(day.in_state(State.INVALID))
    assert page.locator("#count").inner_text().startswith(f"{invalid} of ")
    assert set(page.locator("#rows tr[data-position] td:first-child").all_inner_texts()) == {"Invalid"}
    assert "El NIT del receptor" in page.locator("#by-reason option:checked").inner_text()
    page.locator("#clear").click()
    assert page.locator("#count").inner_text().startswith(f"{len(day.records) + len(day.held_back)} of ")


def test_choices_are_remembered(opened: Any) -> None:
    """Opened again, the page is sorted and narrowed down as it was left; another report starts with all documents."""
    one = opened("day-en.html")
    one.page.locator("th[data-key=cents] button").click()
    one.page.locator("#by-state").select_option(index=2)
    one.page.locator("#keys-on").uncheck()
    left = one.rows()
    one.page.reload()
    assert one.rows() == left
    assert not one.page.locator("#keys-on").is_checked()
    one.page.goto(one.page.url.replace("day-en", "quiet"))
    assert one.page.locator("#by-state").input_value() == ""
    assert one.page.locator("th[data-key=cents]").get_attribute("aria-sort") == "ascending"


def test_works_where_nothing_may_be_remembered(browser: Browser, reports: Path) -> None:
    """Some browsers refuse storage to files; the page works all the same."""
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused') } })")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((reports / "day-en.html").as_uri())
    page.fill("#query", "f-000123")
    assert page.locator("#rows tr[data-position] .ref").all_inner_texts() == ["F-000123"]
    assert complaints == []
    context.close()


def test_keys_are_explained(opened: Any) -> None:
    """`?` opens a list of the keys, Escape closes it."""
    page = opened("quiet.html").page
    page.keyboard.press("?")
    assert "Buscar en la lista" in page.locator("#help").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()


def test_reference_is_copied_letter_for_letter(opened: Any) -> None:
    """The button beside a reference puts exactly that text on the clipboard, and says so."""
    one = opened("day-en.html", permissions=["clipboard-read", "clipboard-write"])
    button = one.page.locator("#conflict .copy").first
    button.click()
    one.page.locator("#conflict .copy[aria-label=Copied]").wait_for()
    assert one.page.evaluate("navigator.clipboard.readText()") == "F-000007"


def test_without_script_everything_that_needs_a_person_is_there(opened: Any) -> None:
    """Where scripts are blocked the exceptions stand complete, and the page says where the rest is."""
    page = opened("day-es.html", java_script_enabled=False).page
    text = page.locator("main").text_content() or ""
    for one in (*invented.conflicts(), *invented.everything_held_back()[:5]):
        assert one["external_ref"] in text
    assert "Aquí los scripts están desactivados" in text
    assert not page.locator("#find").is_visible()


def test_printed_it_has_numbered_pages_and_room_for_signatures(opened: Any) -> None:
    """Nothing that only a screen can use is printed; the short list is."""
    page = opened("quiet.html").page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not page.locator("nav").is_visible()
    assert not page.locator("#find").is_visible()
    assert page.locator(".signatures dd").count() == 6
    assert page.locator("#rows tr").count() == 120


ALL_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}


@pytest.mark.parametrize(
    ("viewport", "schemes"),
    [(DESK, {"light": ALL_RULES, "dark": CONTRAST}), (PHONE, {"dark": ALL_RULES, "light": CONTRAST})],
    ids=["desk", "phone"],
)
def test_nothing_stands_in_the_way_of_anybody(
    opened: Any, viewport: dict[str, int], schemes: dict[str, dict[str, Any]]
) -> None:
    """The rules of WCAG 2.2 AA that a machine can check hold, in light and dark, on a desk and on a phone."""
    from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]  # noqa: PLC0415 - for this test
        Axe,
    )

    page = opened("compared.html", viewport).page
    for scheme, rules in schemes.items():
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
        assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found] == [], scheme


def test_colours_of_the_system_leave_everything_readable(opened: Any) -> None:
    """Where the system forces its colours, the parts of a picture still differ, by their patterns."""
    page = opened("compared.html", forced_colors="active").page
    hatch = page.evaluate("getComputedStyle(document.querySelector('#p-grid path')).stroke")
    fill = page.evaluate("getComputedStyle(document.querySelector('.bar .fill')).fill")
    assert hatch != fill
    assert page.locator(".bar > svg .hatch").count() == page.locator(".legend li").count()


def test_nothing_is_left_undrawn_below_the_fold(opened: Any) -> None:
    """A page of a day is all there at once: for pictures of the whole page, for searching in it, for printing."""
    page = opened("day-es.html").page
    skipped = (
        "[...document.querySelectorAll('main *')].filter(e => getComputedStyle(e).contentVisibility === 'auto').length"
    )
    assert page.evaluate(skipped) == 0
