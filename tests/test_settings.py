from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from batch_issuer import settings
from batch_issuer.messages import Messages
from batch_issuer.model.problems import CannotStart

WHOLE = """
[company]
name = "Comercial El Ejemplo, S.A. de C.V."
expect_environment = "test"
key_env = "OCOTE_API_KEY"
language = "es"

[source]
external_ref = "{Sucursal}-{Número}"
doc_type = "01"
sheet = "Ventas"
decimal = "point"
dates = "dmy"
prices = { "01" = "with_vat", "03" = "without_vat", "11" = "without_vat" }
continue_rows = false

[columns]
external_ref = "InvoiceNo"
unit_price = "UnitPrice"

[issue]
concurrency = 8
reserve = 0
tolerance = "0.01"
"""
"""The example of the contract, every key of it."""


def load(tmp_path: Path, text: str) -> settings.Settings:
    path = tmp_path / settings.FILE_NAME
    path.write_text(text, encoding="utf-8")
    return settings.load(path)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(CannotStart) as stopped:
        load(tmp_path, text)
    assert stopped.value.exit_code == 2
    return stopped.value.text(Messages("en")).replace(str(tmp_path), "…")


def test_every_key_of_the_contract_is_read(tmp_path: Path) -> None:
    """What the design prints as an example is what the program takes."""
    found = load(tmp_path, WHOLE)
    company = found.company(None)
    assert (company.name, company.expect_environment, company.language) == (
        "Comercial El Ejemplo, S.A. de C.V.",
        "test",
        "es",
    )
    assert found.source.external_ref == "{Sucursal}-{Número}"
    assert (found.source.sheet, found.source.decimal, found.source.dates) == ("Ventas", "point", "dmy")
    assert {kind: found.source.prices[kind] for kind in ("01", "03", "11")} == {
        "01": "with_vat",
        "03": "without_vat",
        "11": "without_vat",
    }
    assert (found.source.prices["05"], found.source.prices["14"]) == ("without_vat", "without_vat")  # as 03; no VAT
    assert dict(found.columns) == {"external_ref": "InvoiceNo", "unit_price": "UnitPrice"}
    assert (found.issue.concurrency, found.issue.reserve, found.issue.tolerance) == (8, 0, Decimal("0.01"))


@pytest.mark.parametrize("text", ["0614-010190-101-0", "06140101901010", "0614 010190 101 0"])
def test_the_issuer_is_kept_as_digits(tmp_path: Path, text: str) -> None:
    """However a NIT is written; the DUI that stands in for one too."""
    assert load(tmp_path, f'[company]\nnit = "{text}"\n').company(None).nit == "06140101901010"
    assert load(tmp_path, '[companies.sur]\nnit = "00016297-5"\n').company("sur").nit == "000162975"


def test_every_key_is_optional(tmp_path: Path) -> None:
    """An empty file means the defaults."""
    found = load(tmp_path, "")
    assert found.company(None) == settings.Company()
    assert (found.source, found.issue) == (settings.Source(), settings.Issue())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[sorce]", "…/batch-issuer.toml: the key «sorce» is not known.\nDid you mean «source»?"),
        ("[source]\ndecimals = 'point'", "«decimals» is not known [source].\nDid you mean «decimal»?"),
        ("[columns]\nprice = 'P'", "«price» is not known [columns].\nDid you mean «unit_price»?"),
        ("[source]\ndecimal = 'dot'", "«dot» is not possible for source.decimal.\nPossible: point, comma."),
        ("[issue]\nconcurrency = 0", "issue.concurrency has a value of the wrong kind.\nIt must be a whole number."),
        ("[issue]\nconcurrency = true", "It must be a whole number."),
        ("[issue]\ntolerance = 'x'", 'It must be an amount such as "0.01".'),
        ("[source]\ncontinue_rows = 'yes'", "It must be true or false."),
        ("company = 3", "company has a value of the wrong kind.\nIt must be a table."),
        ("[company]\n[companies.a]", "Write either [company] or [companies.NAME], not both."),
        ("a =", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_right(tmp_path: Path, text: str, sentence: str) -> None:
    """Each mistake has a sentence that names the key and what it can be."""
    assert sentence in refusal(tmp_path, text)


def test_one_of_several_companies_has_to_be_chosen(tmp_path: Path) -> None:
    """With several companies in the settings nothing is guessed."""
    found = load(tmp_path, '[companies.norte]\nname = "Norte, S.A."\n[companies.sur]\nkey_env = "SUR"')
    assert found.company("norte").code == "norte"
    assert found.company("Norte, S.A.").code == "norte"
    assert found.company("sur").key_env == "SUR"
    with pytest.raises(CannotStart, match="several companies: norte, sur"):
        found.company(None)
    with pytest.raises(CannotStart, match="no company «este»"):
        found.company("este")


def test_settings_lie_beside_the_sales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file beside the sales is found from anywhere, and one named with --config has to be there."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "ventas"
    folder.mkdir()
    beside = folder / settings.FILE_NAME
    assert settings.find(None, ["ventas/dia.csv"]) is None
    beside.write_text("")
    assert settings.find(None, ["ventas/dia.csv"]) == Path("ventas") / settings.FILE_NAME
    assert settings.find(None, ["ventas"]) == Path("ventas") / settings.FILE_NAME
    with pytest.raises(CannotStart, match=r"no settings file other\.toml"):
        settings.find("other.toml")


def test_the_key_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment wins over the file; a relative file lies beside the settings; without either there is a sentence."""
    (tmp_path / "key.txt").write_text("odt_file\n", encoding="utf-8")
    company = settings.Company(key_env="SHOP_KEY", key_file="key.txt")
    base = tmp_path / settings.FILE_NAME
    assert settings.read_key(company, base) == "odt_file"
    monkeypatch.setenv("SHOP_KEY", " odt_environment ")
    assert settings.read_key(company, base) == "odt_environment"
    monkeypatch.setenv("SHOP_KEY", "odt_a b")
    with pytest.raises(CannotStart, match="holds characters that no key has"):
        settings.read_key(company, base)
    monkeypatch.delenv("SHOP_KEY")
    with pytest.raises(CannotStart, match="There is no API key"):
        settings.read_key(settings.Company(key_env="SHOP_KEY"))
    with pytest.raises(CannotStart, match="key file"):
        settings.read_key(settings.Company(key_env="SHOP_KEY", key_file=str(tmp_path / "none")))
