from __future__ import annotations

import ast
import gettext
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from batch_issuer.cli.language import CLICK_TEXTS, language_of, speak
from batch_issuer.cli.program import commands_table
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import Messages
from tools import catalog as catalog_tool

Names = tuple[str, ...]

SAME_IN_BOTH = re.compile(
    r"""[\w-]+                                  # a command, a fault or an option of the sandbox
    |(-\w,\ )?--[a-z-]+(\ (URL|\[[a-z|]+\]))?   # an option, perhaps with a URL or its choices
    """,
    re.VERBOSE,
)
OTHER_WORDS = re.compile(r"\b(anula\w*|cancela\w*|fichero|ordenador|ministerio|bitácora|libro mayor)\b", re.IGNORECASE)
"""Words that are right in Spanish, for which the catalog has chosen others (its first lines say which)."""


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """Each test leaves the language of the process as it was."""
    domain, language = gettext.textdomain(), os.environ.get("LANGUAGE")
    yield
    gettext.textdomain(domain)
    os.environ.pop("LANGUAGE", None)
    if language is not None:
        os.environ["LANGUAGE"] = language


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_po(io.BytesIO(catalog_tool.CATALOG.read_bytes()))


def commands() -> Iterator[Names]:
    """Every command by its names; the program itself has none."""
    yield ()
    group = commands_table()
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (name,)
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((name, below) for below in command.list_commands(context))


def run(arguments: list[str], language: str) -> None:
    """The program in a language, as `main` starts it, with room for long lines."""
    speak(language)
    output = Output(Messages(language), as_json=False)
    commands_table().main(arguments, prog_name="batch-issuer", standalone_mode=False, obj=output, terminal_width=10_000)


def usage_error(arguments: list[str], language: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What the program says to arguments that it does not understand."""
    with pytest.raises(click.ClickException) as caught:
        run(arguments, language)
    assert Output(Messages(language), as_json=False).usage_error(caught.value) == 2
    return capsys.readouterr().err.splitlines()


def cells(text: str) -> set[str]:
    """The pieces of a help page: headings, options, their explanations, and what stands in brackets."""
    return {cell for line in text.splitlines() for cell in re.split(r"\s{2,}", line.strip()) if cell}


@pytest.mark.parametrize("names", [*commands()], ids=lambda names: " ".join(names) or "batch-issuer")
def test_help_is_spanish(names: Names, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of a command's help is the same in both languages but the names that are typed."""
    run([*names, "--help"], "en")
    english = cells(capsys.readouterr().out)
    run([*names, "--help"], "es")
    spanish = cells(capsys.readouterr().out)
    assert any(cell.startswith("Uso: batch-issuer") for cell in spanish)
    assert {"Opciones:", "Mostrar esta ayuda y salir."} <= spanish
    assert sorted(cell for cell in english & spanish if not SAME_IN_BOTH.fullmatch(cell)) == []


@pytest.mark.parametrize(
    ("arguments", "sentence", "see"),
    [
        (["isue"], "No existe el comando 'isue'. ¿Quiso decir 'issue'?", "batch-issuer"),
        (["check"], "Falta el argumento 'ARCHIVOS…'.", "batch-issuer check"),
        (["check", "v.csv", "--fixfile", "x"], "No existe la opción '--fixfile'. ¿Quiso decir '--fix-file'?", "batch-issuer check"),
        (["check", "v.csv", "--sheet"], "La opción '--sheet' necesita un valor.", "batch-issuer check"),
        (["check", "v.csv", "--json=1"], "La opción '--json' no lleva valor.", "batch-issuer check"),
        (["report", "marzo"], "Sobra un argumento (marzo)", "batch-issuer report"),
        (["report", "marzo", "abril"], "Sobran argumentos (marzo abril)", "batch-issuer report"),
        (["ledger", "--frobnicate"], "No existe la opción '--frobnicate'.", "batch-issuer ledger"),
        (
            ["check", "v.csv", "--dates", "día"],
            "Valor no válido para '--dates': 'día' no es ninguno de estos: 'dmy', 'mdy', 'ymd'.",
            "batch-issuer check",
        ),
        (
            ["issue", "v.csv", "--concurrency", "0"],
            "Valor no válido para '--concurrency': «0» no es un número entero de 1 a 512.",
            "batch-issuer issue",
        ),
        (
            ["issue", "v.csv", "--limit", "-1"],
            "Valor no válido para '--limit': «-1» no es un número entero de 0 o más.",
            "batch-issuer issue",
        ),
        (
            ["issue", "v.csv", "--expect-total", "mil"],
            "Valor no válido para '--expect-total': «mil» no es un monto; escríbalo como 1234.56.",
            "batch-issuer issue",
        ),
        (
            ["retry", "--max-wait", "1d"],
            "Valor no válido para '--max-wait': «1d» no es una duración; escríbala como 90s, 10m o 2h.",
            "batch-issuer retry",
        ),
        (
            ["report", "--from", "21/11/2026"],
            "Valor no válido para '--from': «21/11/2026» no es un día; escríbalo como 2026-11-21.",
            "batch-issuer report",
        ),
    ],
)  # fmt: skip
def test_usage_errors_are_spanish(
    arguments: list[str], sentence: str, see: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong with a call is said in Spanish too, click's own words included, with where to look."""
    assert usage_error(arguments, "es", capsys) == [sentence, f"Vea: {see} --help"]


def test_usage_errors_are_english(capsys: pytest.CaptureFixture[str]) -> None:
    """English stays English after Spanish was spoken in the same process."""
    speak("es")
    said = usage_error(["issue", "v.csv", "--concurrency", "many"], "en", capsys)
    sentence = "Invalid value for '--concurrency': «many» is not a whole number from 1 to 512."
    assert said == [sentence, "See: batch-issuer issue --help"]


def test_program_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever types only the name gets the help, and no advice to ask for it."""
    said = usage_error([], "es", capsys)
    assert said[0] == "Uso: batch-issuer [OPCIONES] COMANDO [ARGUMENTOS]..."
    assert not any(line.startswith("Vea:") for line in said)


@pytest.mark.parametrize(
    ("arguments", "language"),
    [
        (["--lang", "es", "check"], "es"),
        (["check", "--lang=es", "v.csv"], "es"),
        (["check", "v.csv", "--lang", "en"], "en"),
        (["check", "--lang"], "es"),
    ],
)
def test_language_of_a_call_is_known_before_its_options_are_read(arguments: list[str], language: str) -> None:
    """`--lang` counts wherever it stands, for help and usage errors too; a neutral environment speaks Spanish."""
    assert language_of(arguments) == language


def test_click_says_what_the_catalog_expects() -> None:
    """A click that words something anew would show it in English: its texts are still those that were translated."""
    files = Path(click.__file__).parent.glob("*.py")
    keywords = {"_": None, "ngettext": (1, 2)}
    said = {text for file in files for _, text, *_ in extract_from_file("python", file, keywords=keywords)}
    group = click.Group("any")
    assert set(CLICK_TEXTS) - said - {group.options_metavar, group.subcommand_metavar} == set()


def test_catalog_holds_exactly_what_is_marked(catalog: Catalog) -> None:
    """`make messages` was run after the last change of a text: none is missing, and none stays that nobody shows."""
    marked = {message.id for message in catalog_tool.template() if message.id}
    known = {message.id for message in catalog if message.id}
    assert (marked - known, known - marked) == (set(), set())
    assert catalog_tool.waiting(catalog) == []


def test_every_text_shown_is_marked(root: Path) -> None:
    """A literal that is looked up without its mark would never reach the translators."""
    unmarked = [
        f"{module.name}:{call.lineno}"
        for module in (root / "batch_issuer").rglob("*.py")
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in {"text", "say"}
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    ]
    assert unmarked == []


def test_one_concept_has_one_word(catalog: Catalog) -> None:
    """The Spanish keeps to its glossary."""
    forms = [form for message in catalog if message.id for form in _forms(message.string)]
    assert [form for form in forms if OTHER_WORDS.search(form)] == []


def _forms(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, (tuple, list)) else (str(text),)


def test_plurals_are_spanish() -> None:
    """One is singular; none and many are plural, with thousands separated."""
    rows = [Messages("es").count("{n} row", "{n} rows", number) for number in (0, 1, 2, 25_900)]
    assert rows == ["0 filas", "1 fila", "2 filas", "25,900 filas"]
