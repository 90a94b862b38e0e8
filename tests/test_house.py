from __future__ import annotations

import ast
import io
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.fixture(scope="session")
def catalog_file(root: Path) -> Path:
    return root / "batch_issuer" / "locale" / "es" / "LC_MESSAGES" / "batch_issuer.po"


@pytest.fixture(scope="session")
def catalog(catalog_file: Path) -> Catalog:
    """The Spanish catalog as translators edit it."""
    return read_po(io.BytesIO(catalog_file.read_bytes()), abort_invalid=True)


def marked_texts(module: Path) -> Iterator[str]:
    """Every text that a module marks for the catalog."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="N_"), args=[ast.Constant(value=str(text))]):
                yield text
            case ast.Call(func=ast.Name(id="N_")):
                pytest.fail(f"{module}:{node.lineno}: N_ marks one literal text")


def translations(catalog: Catalog) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """English and Spanish of each entry, both with their plurals."""
    for message in catalog:
        if message.id:
            yield _forms(message.id), _forms(message.string)


def _forms(text: Message | str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    if isinstance(text, (tuple, list)):
        return tuple(text)
    return (str(text or ""),)


def places(text: str) -> set[str]:
    """The `{names}` of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_text_exists_in_spanish(root: Path, catalog: Catalog) -> None:
    """Whatever the code says to a person, the catalog says in Spanish."""
    known = {form for english, spanish in translations(catalog) if all(spanish) for form in english}
    marked = {text for module in (root / "batch_issuer").rglob("*.py") for text in marked_texts(module)}
    assert sorted(marked - known) == []


def test_spanish_fills_the_same_places(catalog: Catalog) -> None:
    """A translation has the places of its English text: one that it forgets is a fact that the reader never gets."""
    wrong = [
        (said, form)
        for english, spanish in translations(catalog)
        for said, form in zip(english, spanish, strict=True)
        if form and not places(said) - {"n"} <= places(form) <= places(said) | places(english[-1])
    ]
    assert wrong == []


def test_no_translation_waits_for_review(catalog: Catalog) -> None:
    """Fuzzy entries are not compiled, so their readers would get English."""
    assert [message.id for message in catalog if message.id and message.fuzzy] == []


def test_compiled_catalog_is_current(catalog: Catalog, catalog_file: Path) -> None:
    """`make messages` was run after the last change of the catalog."""
    compiled = read_mo(io.BytesIO(catalog_file.with_suffix(".mo").read_bytes()))
    assert dict(translations(compiled)) == dict(translations(catalog))


def test_every_module_has_a_telling_name(root: Path) -> None:
    """A newcomer guesses from its name what a module holds."""
    assert [path for path in (root / "batch_issuer").rglob("*.py") if path.stem in VAGUE] == []
