from __future__ import annotations

import gettext
import string
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from batch_issuer import messages
from batch_issuer.messages import Messages
from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.model.states import State
from batch_issuer.provider.classify import Reason
from batch_issuer.reading.own_sheets import FIX_HEADINGS, SURPLUS_HEADINGS
from batch_issuer.reconcile import Cause
from batch_issuer.reports import wording
from batch_issuer.reports.fix.workbook import FIX_HEADING, SURPLUS_HEADING
from batch_issuer.resources import templates_folder


def template_texts() -> set[str]:
    """Every text that the page's templates ask the catalog for."""
    found: set[str] = set()
    for path in sorted(Path(str(templates_folder())).glob("report*.j2")):
        tree = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=True).parse(
            path.read_text(encoding="utf-8")
        )
        for _, _, said in extract_from_ast(tree, gettext_functions=("_", "filled", "count")):
            texts = said if isinstance(said, tuple) else (said,)
            found |= {text for text in texts[:2] if text}
    return found


@pytest.fixture(scope="module")
def spanish() -> set[str]:
    """The English of every text that has a Spanish one."""
    compiled = Path(messages.LOCALE_FOLDER) / "es" / "LC_MESSAGES" / "batch_issuer.mo"
    with compiled.open("rb") as stream:
        return {
            form for one in read_mo(stream) if one.string for form in ([one.id] if isinstance(one.id, str) else one.id)
        }


def test_every_text_of_the_page_exists_in_spanish(spanish: set[str]) -> None:
    """The template speaks through the catalog, and the catalog knows all of it."""
    texts = template_texts()
    assert len(texts) > 100
    assert sorted(texts - spanish) == []


def test_places_of_the_page_exist_in_spanish() -> None:
    """A translation fills the same places as its English text."""
    catalog = gettext.translation("batch_issuer", messages.LOCALE_FOLDER, languages=["es"])

    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text)} - {None}

    assert [text for text in template_texts() if places(catalog.gettext(text)) != places(text)] == []


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_name_and_says_what_to_do(state: State) -> None:
    """No state leaves its reader alone."""
    assert wording.NAMES[state]
    assert wording.WHAT_TO_DO[state]


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_title_an_action_and_an_explanation(cause: Cause) -> None:
    """Whatever needs a person comes with what the person should do."""
    assert wording.CAUSE_TITLES[cause]
    assert wording.CAUSE_ACTIONS[cause]
    assert wording.CAUSE_EXPLANATIONS[cause]
    assert wording.CAUSE_NAMES[cause]


def test_every_reason_of_the_provider_room_has_words() -> None:
    """A code alone tells a shopkeeper nothing."""
    assert {reason.value for reason in Reason} == set(wording.REASONS)


@pytest.mark.parametrize("doc_type", DOC_TYPES)
def test_every_type_has_a_name(doc_type: str) -> None:
    """Shown beside its code."""
    assert wording.type_name(doc_type, Messages("en")).startswith(f"{doc_type} ")


def test_lines_and_fields_are_named_in_words() -> None:
    """What differs is told in the reader's language; an unknown name stays as it is."""
    assert wording.field_name("line 3: quantity", Messages("es")) == "línea 3: Cantidad"
    assert wording.field_name("customer_name", Messages("en")) == "Customer"
    assert wording.field_name("something new", Messages("es")) == "something new"


def test_headings_of_corrections_are_those_of_the_catalog() -> None:
    """An older column is recognised in both languages."""
    for heading, known in ((FIX_HEADING, FIX_HEADINGS), (SURPLUS_HEADING, SURPLUS_HEADINGS)):
        assert {Messages("es").text(heading), Messages("en").text(heading)} == set(known)
