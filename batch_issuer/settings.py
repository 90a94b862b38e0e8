"""The settings file `batch-issuer.toml`, as one frozen value; unknown keys are refused with the nearest right one."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Any

from batch_issuer.messages import LANGUAGES, N_
from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.model.fields import Owner, keys_of
from batch_issuer.model.problems import CannotStart

FILE_NAME = "batch-issuer.toml"
DEFAULT_COMPANY = "default"

DOCUMENT_FIELDS, CUSTOMER_FIELDS, LINE_FIELDS = map(keys_of, (Owner.DOCUMENT, Owner.CUSTOMER, Owner.LINE))
FIELDS = DOCUMENT_FIELDS + CUSTOMER_FIELDS + LINE_FIELDS
"""Our fields, as `[columns]` names them."""

DEFAULT_PRICES: Mapping[str, str] = MappingProxyType({"01": "with_vat", "11": "without_vat", "14": "without_vat"})
"""What the provider takes (provider.md 5, 7 and 9); 03 has to be said, and a 05 is read like the 03 that it adjusts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Who issues. `code` names it in the ledger and never changes."""

    code: str = DEFAULT_COMPANY
    name: str = ""
    expect_environment: str = ""
    key_env: str = "OCOTE_API_KEY"
    key_file: str = ""
    keyring: bool = False
    language: str = ""
    nit: str = ""
    """Digits of the NIT of who issues; empty: the ledger goes by what the provider's answers have said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How to read the files. Empty text: decided from the file, or asked."""

    external_ref: str = ""
    doc_type: str = "01"
    sheet: str = ""
    decimal: str = ""
    dates: str = ""
    prices: Mapping[str, str] = field(default_factory=lambda: DEFAULT_PRICES)
    continue_rows: bool = False
    hidden_rows: str = ""
    """`include` or `skip`; empty: asked."""
    repeated_rows: str = "ask"
    """`count`, `once` or `ask`: what becomes of a row that is equal in every cell to another of its document."""
    ignore: tuple[str, ...] = ()
    """Headings that are declared no part of the sale, so that nothing is asked about them."""
    alike: str = ""
    """`same` or `new`: what a person said with --alike of sales that look like earlier ones; no setting of the file,
    because tomorrow it may be otherwise. A number that stands in two places is one sale where it is `same`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """How to send, and how far the provider's amounts may lie from ours."""

    concurrency: int = 8
    reserve: int = 0
    tolerance: Decimal = Decimal("0.01")
    """Dollars per line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Thresholds that the sources leave open."""

    warn_anonymous_from: Decimal = Decimal("1095.00")
    """An anonymous 01 from here on may be refused by the old structure fe-fc-v1 (domain.md 3.4); 0 is never."""
    withheld_at_100: bool = True
    """Whether 1 % is expected to be withheld at a base of exactly $100.00, of which the provider's pages disagree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningOff:
    """Who may sign off a period."""

    different_people: bool = False
    """Preparer and reviewer must be two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    path: Path | None = None
    companies: Mapping[str, Company] = field(default_factory=lambda: MappingProxyType({DEFAULT_COMPANY: Company()}))
    source: Source = field(default_factory=Source)
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    issue: Issue = field(default_factory=Issue)
    rules: Rules = field(default_factory=Rules)
    sign_off: SigningOff = field(default_factory=SigningOff)

    def company(self, asked: str | None) -> Company:
        """The company chosen with `--company`, or the only one there is."""
        if asked is None:
            if len(self.companies) == 1:
                return next(iter(self.companies.values()))
            raise CannotStart(
                N_("The settings {path} have several companies: {names}."),
                repair=N_("Choose one with --company NAME."),
                path=self.path,
                names=", ".join(self.companies),
            )
        for company in self.companies.values():
            if asked in (company.code, company.name):
                return company
        raise CannotStart(
            N_("There is no company «{name}» in the settings."),
            repair=N_("Known: {names}. Add [companies.{name}] to {file}, or choose one of these."),
            name=asked,
            names=", ".join(self.companies),
            file=self.path or FILE_NAME,
        )


def find(config: str | None, files: Sequence[str] = ()) -> Path | None:
    """The file named with `--config`, else the one beside the sales, else the one in the working folder.

    Raises `CannotStart` where the sales lie in folders with different settings.
    """
    if config is not None:
        path = Path(config)
        if not path.is_file():
            raise CannotStart(
                N_("There is no settings file {path}."), repair=N_("Check the name given to --config."), path=path
            )
        return path
    folders = [Path(file) if Path(file).is_dir() else Path(file).parent for file in files if file != "-"]
    found = [path for folder in folders if (path := folder / FILE_NAME).is_file()]
    for other in found[1:]:
        if _content(other) != _content(found[0]):
            raise CannotStart(
                N_("The sales lie beside different settings: {first} and {other}."),
                repair=N_("Say with --config which of them counts, or give the files of each folder by themselves."),
                first=found[0],
                other=other,
            )
    return next((path for path in (*found, Path(FILE_NAME)) if path.is_file()), None)


def _content(path: Path) -> tuple[bytes, Path | None]:
    """What makes two settings files the same: their bytes, and their folder where they name a key file beside them."""
    try:
        content = path.read_bytes()
    except OSError:
        return b"", path
    return content, path.resolve().parent if b"key_file" in content else None


def load(path: Path | None) -> Settings:
    """Settings of a file, or the defaults.

    Raises `CannotStart` for a file that is not TOML, an unknown key, or a value of the wrong kind.
    """
    if path is None:
        return Settings()
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotStart(
            N_("The settings file {path} cannot be read: {reason}."),
            repair=N_("It must be TOML in UTF-8; the README has an example."),
            path=path,
            reason=str(error),
        ) from error
    return checked(path, table)


def checked(path: Path, table: Mapping[str, Any]) -> Settings:
    """The settings that a TOML table says.

    Raises `CannotStart` for an unknown key, or a value of the wrong kind.
    """
    return _Reader(path).settings(table)


def read_key(company: Company, base: Path | None = None) -> str:
    """The API key, from the environment, a file, or the system keyring; never from the command line.

    Raises `CannotStart` when there is none.
    """
    if key := os.environ.get(company.key_env, "").strip():
        return _checked_key(key)
    if company.key_file:
        path = Path(company.key_file).expanduser()
        if not path.is_absolute() and base is not None:
            path = base.parent / path
        try:
            return _checked_key(path.read_text(encoding="utf-8-sig").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise CannotStart(
                N_("The key file {path} cannot be read: {reason}."),
                repair=N_("Check key_file in the settings."),
                path=path,
                reason=type(error).__name__ if isinstance(error, UnicodeDecodeError) else (error.strerror or ""),
            ) from None
    if company.keyring and (key := _keyring_key(company.code)):
        return _checked_key(key)
    raise CannotStart(
        N_("There is no API key."),
        repair=N_(
            "Put it in the environment variable {variable}, or in a file named by key_file in the settings. "
            "It is never given on the command line. To try without a key: batch-issuer demo."
        ),
        variable=company.key_env,
    )


def key_place(company: Company, base: Path | None = None) -> tuple[str, str]:
    """Where `read_key` looks and finds something: `env`, `file` or `keyring`, with the variable's or file's name."""
    if os.environ.get(company.key_env, "").strip():
        return "env", company.key_env
    if company.key_file:
        path = Path(company.key_file).expanduser()
        return "file", str(path if path.is_absolute() or base is None else base.parent / path)
    return ("keyring", company.code) if company.keyring else ("", company.key_env)


def has_documented_form(key: str) -> bool:
    """Whether a key looks as the provider's page says: `odt_` and 56 hexadecimal digits (provider.md 2)."""
    return re.fullmatch(r"odt_[0-9a-fA-F]{56}", key) is not None


def _keyring_key(company: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - an extra that most users do not have

        return keyring.get_password("batch-issuer", company) or ""
    except ImportError:
        raise CannotStart(
            N_("The settings ask for the system keyring, and the package keyring is not installed."),
            repair=N_('Install it with: pip install "batch-issuer[keyring]".'),
        ) from None
    except Exception as error:  # noqa: BLE001 - each back end raises its own
        raise CannotStart(
            N_("The system keyring did not answer: {reason}."),
            repair=N_("Use key_env or key_file in the settings."),
            reason=type(error).__name__,
        ) from None


_KEY = re.compile(r"odt_[0-9A-Za-z_.~+/=-]+")
"""Looser than the provider's form (provider.md 2); by its beginning a key is found wherever it must not be shown."""


def _checked_key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise CannotStart(
            N_("The API key does not begin with odt_, or holds characters that no key has."),
            repair=N_("Copy it again from the provider's panel, whole and without quotes."),
        )
    return key


def _like_their_ccf(prices: Mapping[str, str]) -> Mapping[str, str]:
    """Credit notes take the price basis of the CCF unless something else is said of them."""
    return {"05": prices["03"], **prices} if "03" in prices else prices


_SOURCE_CHOICES: Mapping[str, tuple[str, ...]] = {
    "decimal": ("point", "comma"),
    "dates": ("dmy", "mdy", "ymd"),
    "doc_type": DOC_TYPES,
}


class _Reader:
    """Turns TOML tables into values, naming the file and the key in every complaint."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def settings(self, table: Mapping[str, Any]) -> Settings:
        self._known(table, ("company", "companies", "source", "columns", "issue", "rules", "sign_off"), "")
        if "company" in table and "companies" in table:
            raise self._wrong("companies", N_("Write either [company] or [companies.NAME], not both."))
        return Settings(
            path=self.path,
            companies=self._companies(table),
            source=self._source(self._table(table, "source")),
            columns=self._columns(self._table(table, "columns")),
            issue=self._issue(self._table(table, "issue")),
            rules=self._rules(self._table(table, "rules")),
            sign_off=self._sign_off(self._table(table, "sign_off")),
        )

    def _companies(self, table: Mapping[str, Any]) -> Mapping[str, Company]:
        several = self._table(table, "companies")
        if several:
            return MappingProxyType(
                {code: self._company(code, self._table(several, code, f"companies.{code}")) for code in several}
            )
        return MappingProxyType({DEFAULT_COMPANY: self._company(DEFAULT_COMPANY, self._table(table, "company"))})

    def _company(self, code: str, table: Mapping[str, Any]) -> Company:
        where = "company" if code == DEFAULT_COMPANY else f"companies.{code}"
        self._known(table, ("name", "expect_environment", "key_env", "key_file", "keyring", "language", "nit"), where)
        return Company(
            code=code,
            name=self._text(table, "name", where),
            expect_environment=self._choice(table, "expect_environment", where, ("test", "production")),
            key_env=self._text(table, "key_env", where) or Company().key_env,
            key_file=self._text(table, "key_file", where),
            keyring=self._flag(table, "keyring", where),
            language=self._choice(table, "language", where, LANGUAGES),
            nit=self._nit(table, where),
        )

    def _source(self, table: Mapping[str, Any]) -> Source:
        self._known(
            table,
            (
                "external_ref",
                "doc_type",
                "sheet",
                "decimal",
                "dates",
                "prices",
                "continue_rows",
                "hidden_rows",
                "repeated_rows",
                "ignore",
            ),
            "source",
        )
        prices = self._table(table, "prices", "source.prices")
        self._known(prices, DOC_TYPES, "source.prices")
        chosen = {kind: self._choice(prices, kind, "source.prices", ("with_vat", "without_vat")) for kind in prices}
        return Source(
            external_ref=self._text(table, "external_ref", "source"),
            doc_type=self._choice(table, "doc_type", "source", DOC_TYPES) or "01",
            sheet=self._text(table, "sheet", "source"),
            decimal=self._choice(table, "decimal", "source", _SOURCE_CHOICES["decimal"]),
            dates=self._choice(table, "dates", "source", _SOURCE_CHOICES["dates"]),
            prices=MappingProxyType({**DEFAULT_PRICES, **_like_their_ccf(chosen)}),
            continue_rows=self._flag(table, "continue_rows", "source"),
            hidden_rows=self._choice(table, "hidden_rows", "source", ("include", "skip")),
            repeated_rows=self._choice(table, "repeated_rows", "source", ("count", "once", "ask")) or "ask",
            ignore=self._texts(table, "ignore", "source"),
        )

    def _columns(self, table: Mapping[str, Any]) -> Mapping[str, str]:
        self._known(table, FIELDS, "columns")
        return MappingProxyType({name: self._text(table, name, "columns") for name in table})

    def _issue(self, table: Mapping[str, Any]) -> Issue:
        self._known(table, ("concurrency", "reserve", "tolerance"), "issue")
        default = Issue()
        return Issue(
            concurrency=self._whole(table, "concurrency", "issue", default.concurrency, smallest=1),
            reserve=self._whole(table, "reserve", "issue", default.reserve, smallest=0),
            tolerance=self._amount(table, "tolerance", "issue", default.tolerance),
        )

    def _sign_off(self, table: Mapping[str, Any]) -> SigningOff:
        self._known(table, ("different_people",), "sign_off")
        return SigningOff(different_people=self._flag(table, "different_people", "sign_off"))

    def _rules(self, table: Mapping[str, Any]) -> Rules:
        self._known(table, ("warn_anonymous_from", "withheld_at_100"), "rules")
        default = Rules()
        return Rules(
            warn_anonymous_from=self._amount(table, "warn_anonymous_from", "rules", default.warn_anonymous_from),
            withheld_at_100=self._flag(table, "withheld_at_100", "rules", default=default.withheld_at_100),
        )

    def _known(self, table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0)
                raise CannotStart(
                    N_("{path}: the key «{key}» is not known{where}."),
                    repair=N_("Did you mean «{near}»? Known here: {known}."),
                    path=self.path,
                    key=key,
                    where=f" [{where}]" if where else "",
                    near=near[0] if near else known[0],
                    known=", ".join(known),
                )

    def _table(self, table: Mapping[str, Any], key: str, where: str = "") -> Mapping[str, Any]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(where or key, N_("It must be a table."))
        return value

    def _text(self, table: Mapping[str, Any], key: str, where: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            raise self._wrong(f"{where}.{key}", N_("It must be a text in quotes."))
        return value.strip()

    def _texts(self, table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise self._wrong(f"{where}.{key}", N_("It must be a list of texts in quotes."))
        return tuple(value)

    def _choice(self, table: Mapping[str, Any], key: str, where: str, choices: Sequence[str]) -> str:
        value = self._text(table, key, where)
        if key in table and value not in choices:
            raise CannotStart(
                N_("{path}: «{value}» is not possible for {key}."),
                repair=N_("Possible: {known}."),
                path=self.path,
                key=f"{where}.{key}",
                value=value,
                known=", ".join(choices),
            )
        return value

    def _nit(self, table: Mapping[str, Any], where: str) -> str:
        text = self._text(table, "nit", where)
        digits = re.sub(r"[-. ]", "", text)
        if "nit" in table and not re.fullmatch(r"[0-9]{9}(?:[0-9]{5})?", digits):
            raise CannotStart(
                N_("{path}: «{value}» is not possible for {key}."),
                repair=N_("A NIT has 14 digits, or the 9 of the DUI that stands in for it."),
                path=self.path,
                key=f"{where}.nit",
                value=text,
            )
        return digits

    def _flag(self, table: Mapping[str, Any], key: str, where: str, *, default: bool = False) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(f"{where}.{key}", N_("It must be true or false."))
        return value

    def _whole(self, table: Mapping[str, Any], key: str, where: str, default: int, *, smallest: int) -> int:
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < smallest:
            raise self._wrong(f"{where}.{key}", N_("It must be a whole number."))
        return value

    def _amount(self, table: Mapping[str, Any], key: str, where: str, default: Decimal) -> Decimal:
        value = table.get(key, default)
        try:
            amount = value if isinstance(value, Decimal) else Decimal(str(value))
        except InvalidOperation:
            amount = Decimal(-1)
        if isinstance(value, bool) or not amount.is_finite() or amount < 0:
            raise self._wrong(f"{where}.{key}", N_('It must be an amount such as "0.01".'))
        return amount

    def _wrong(self, key: str, wanted: str) -> CannotStart:
        return CannotStart(
            N_("{path}: {key} has a value of the wrong kind."),
            repair=wanted,
            path=self.path,
            key=key,
        )
