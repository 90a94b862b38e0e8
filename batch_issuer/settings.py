"""The settings file `batch-issuer.toml`, as one frozen value; unknown keys are refused with the nearest right one."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
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
        """Return the company chosen with `--company`, or the only one there is.

        Raises:
            CannotStart: where there are several and none was chosen, or none has that name.
        """
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
    """Return the file named with `--config`, else the one beside the sales, else the one in the working folder.

    Raises:
        CannotStart: where the named file is not there, or the sales lie in folders with different settings.
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
    """Return what makes two settings files the same: their bytes, and their folder where they name a key file in it."""
    try:
        content = path.read_bytes()
    except OSError:
        return b"", path
    return content, path.resolve().parent if b"key_file" in content else None


def load(path: Path | None) -> Settings:
    """Return the settings of a file, or the defaults.

    Raises:
        CannotStart: for a file that is not TOML, an unknown key, or a value of the wrong kind.
    """
    if path is None:
        return Settings()
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows' Notepad writes a mark at the beginning
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
    """Return the settings that a TOML table says.

    Raises:
        CannotStart: for an unknown key, or a value of the wrong kind.
    """
    return _Reader(path).settings(table)


def read_key(company: Company, base: Path | None = None) -> str:
    """Return the API key, from the environment, a file, or the system keyring.

    Raises:
        CannotStart: when there is none, when it cannot be read, or when it is no key.
    """
    place, name = key_place(company, base)
    match place:
        case "env":
            return _checked_key(os.environ[name].strip())
        case "file":
            try:
                return _checked_key(Path(name).read_text(encoding="utf-8-sig").strip())
            except (OSError, UnicodeDecodeError) as error:
                raise CannotStart(
                    N_("The key file {path} cannot be read: {reason}."),
                    repair=N_("Check key_file in the settings."),
                    path=name,
                    # The words of a decoding error show the bytes, which may be the key.
                    reason=type(error).__name__ if isinstance(error, UnicodeDecodeError) else (error.strerror or ""),
                ) from None
        case "keyring" if key := _keyring_key(name):
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
    """Return where `read_key` finds something: `env`, `file` or `keyring`, with the name of the variable or file."""
    # Never from the command line: what is typed there stays in the shell's history and in the list of processes.
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
            reason=type(error).__name__,  # its words may hold the key
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


def _keys(kind: type) -> tuple[str, ...]:
    """Return the keys that the table of such a value may have."""
    return tuple(one.name for one in fields(kind) if one.name not in _NOT_OF_THE_FILE)


_NOT_OF_THE_FILE = frozenset({"code", "alike"})
"""What the values have and no table: a company's code is the name of its table, and --alike is said anew each day."""


class _Reader:
    """Turns TOML tables into values, naming the file and the key in every complaint."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def settings(self, table: Mapping[str, Any]) -> Settings:
        self._known(table, ("company", "companies", "source", "columns", "issue", "rules", "sign_off"), "")
        if "company" in table and "companies" in table:
            raise self._wrong("companies", N_("Write either [company] or [companies.NAME], not both."))
        several = self._table(table, "companies")
        companies = {
            code: self._company(code, self._table(several, code, f"companies.{code}")) for code in several
        } or {DEFAULT_COMPANY: self._company(DEFAULT_COMPANY, self._table(table, "company"))}
        source = self._source(table)
        columns = self._section(table, "columns", FIELDS)
        issue = self._section(table, "issue", _keys(Issue))
        rules = self._section(table, "rules", _keys(Rules))
        sign_off = self._section(table, "sign_off", _keys(SigningOff))
        usual = Settings()
        return Settings(
            path=self.path,
            companies=MappingProxyType(companies),
            source=source,
            columns=MappingProxyType({name: self._text(columns, name, "columns") for name in columns}),
            issue=Issue(
                concurrency=self._whole(issue, "concurrency", "issue", usual.issue.concurrency, smallest=1),
                reserve=self._whole(issue, "reserve", "issue", usual.issue.reserve, smallest=0),
                tolerance=self._amount(issue, "tolerance", "issue", usual.issue.tolerance),
            ),
            rules=Rules(
                warn_anonymous_from=self._amount(
                    rules, "warn_anonymous_from", "rules", usual.rules.warn_anonymous_from
                ),
                withheld_at_100=self._flag(rules, "withheld_at_100", "rules", default=usual.rules.withheld_at_100),
            ),
            sign_off=SigningOff(different_people=self._flag(sign_off, "different_people", "sign_off")),
        )

    def _company(self, code: str, table: Mapping[str, Any]) -> Company:
        where = "company" if code == DEFAULT_COMPANY else f"companies.{code}"
        self._known(table, _keys(Company), where)
        nit = self._text(table, "nit", where)
        digits = re.sub(r"[-. ]", "", nit)
        if "nit" in table and not re.fullmatch(r"[0-9]{9}(?:[0-9]{5})?", digits):
            raise CannotStart(
                N_("{path}: «{value}» is not possible for {key}."),
                repair=N_("A NIT has 14 digits, or the 9 of the DUI that stands in for it."),
                path=self.path,
                key=f"{where}.nit",
                value=nit,
            )
        return Company(
            code=code,
            name=self._text(table, "name", where),
            expect_environment=self._choice(table, "expect_environment", where, ("test", "production")),
            key_env=self._text(table, "key_env", where) or Company().key_env,
            key_file=self._text(table, "key_file", where),
            keyring=self._flag(table, "keyring", where),
            language=self._choice(table, "language", where, LANGUAGES),
            nit=digits,
        )

    def _source(self, whole: Mapping[str, Any]) -> Source:
        table = self._section(whole, "source", _keys(Source))
        prices = self._table(table, "prices", "source.prices")
        self._known(prices, DOC_TYPES, "source.prices")
        chosen = {kind: self._choice(prices, kind, "source.prices", ("with_vat", "without_vat")) for kind in prices}
        if "03" in chosen:
            chosen = {"05": chosen["03"], **chosen}  # a credit note has the prices of its CCF, unless it is said
        ignore = table.get("ignore", [])
        if not isinstance(ignore, list) or not all(isinstance(text, str) for text in ignore):
            raise self._wrong("source.ignore", N_("It must be a list of texts in quotes."))
        return Source(
            external_ref=self._text(table, "external_ref", "source"),
            doc_type=self._choice(table, "doc_type", "source", DOC_TYPES) or "01",
            sheet=self._text(table, "sheet", "source"),
            decimal=self._choice(table, "decimal", "source", ("point", "comma")),
            dates=self._choice(table, "dates", "source", ("dmy", "mdy", "ymd")),
            prices=MappingProxyType({**DEFAULT_PRICES, **chosen}),
            continue_rows=self._flag(table, "continue_rows", "source"),
            hidden_rows=self._choice(table, "hidden_rows", "source", ("include", "skip")),
            repeated_rows=self._choice(table, "repeated_rows", "source", ("count", "once", "ask")) or "ask",
            ignore=tuple(ignore),
        )

    def _section(self, table: Mapping[str, Any], key: str, known: Sequence[str]) -> Mapping[str, Any]:
        """Return a table of the file whose keys are all known."""
        section = self._table(table, key)
        self._known(section, known, key)
        return section

    def _known(self, table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
        for key in table:
            if key not in known:
                # cutoff 0: somebody who is far off is helped by the nearest key too
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
