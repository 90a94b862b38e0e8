from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from batch_issuer import __version__, resources
from batch_issuer.cli.program import COMMANDS

HEAVY = {
    "aiohttp", "asyncio", "httpx", "jinja2", "numpy", "openpyxl", "pandas", "python_calamine",
    "sqlalchemy", "xlsxwriter",
}  # fmt: skip
QUICK = [name for name in COMMANDS if name != "sandbox"]
"""The sandbox's help has its tables of options and faults, which its own rooms hold."""
INDIRECT = {"defusedxml", "tzdata"}
"""Declared whether or not we import them: openpyxl and zoneinfo look for them."""


@pytest.fixture(scope="session")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(root)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as an installer lays it down, away from the sources."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def files_below(folder: Path) -> set[str]:
    """Paths of the files of a folder that belong to the project: no scripts, caches or ledgers."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {
        path.as_posix()
        for path in paths
        if path.suffix not in {".py", ".pyc", ".db"} and not any(part.startswith(".") for part in path.parts)
    }


def test_wheel_holds_one_package_and_its_licence(unpacked: Path) -> None:
    """The wheel puts nothing beside the package, and no tests, scripts or unmerged translations into it."""
    assert {path.name for path in unpacked.iterdir()} == {"batch_issuer", f"batch_issuer-{__version__}.dist-info"}
    assert (unpacked / f"batch_issuer-{__version__}.dist-info" / "licenses" / "LICENSE").is_file()
    assert not (unpacked / "batch_issuer" / "locale" / "parts").exists()
    assert not list((unpacked / "batch_issuer" / "sample_data").rglob("*.py"))


@pytest.mark.parametrize("folder", ["templates", "sample_data"])
def test_wheel_holds_every_page_and_sample(folder: str, root: Path, unpacked: Path) -> None:
    """The folders at the top of the checkout stand whole inside the installed package."""
    assert files_below(root / folder)
    assert files_below(unpacked / "batch_issuer" / folder) == files_below(root / folder)


def test_wheel_holds_every_module_and_the_files_beside_them(root: Path, unpacked: Path) -> None:
    """Catalogs of the ministry, translations and code reach the installed package."""
    sources = {
        path.relative_to(root)
        for path in (root / "batch_issuer").rglob("*")
        if path.is_file() and path.suffix in {".py", ".csv", ".json", ".mo"} and "parts" not in path.parts
    }
    assert {path for path in sources if not (unpacked / path).is_file()} == set()
    assert {".csv", ".mo"} <= {path.suffix for path in sources}


def test_folders_are_found_in_a_checkout(root: Path) -> None:
    """In a source checkout the pages and the samples lie at its top."""
    assert resources.templates_folder() == root / "templates"
    assert resources.sample_data_folder() == root / "sample_data"


def test_folders_are_found_in_an_installed_package(unpacked: Path, tmp_path: Path) -> None:
    """Once installed, the pages and the samples are found inside the package, from any folder."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from batch_issuer import resources\n"
        "print(resources.templates_folder()); print(resources.sample_data_folder())"
    )
    shown = subprocess.run(
        [sys.executable, "-I", "-c", code, str(unpacked)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    package = unpacked.resolve() / "batch_issuer"
    assert shown.stdout.splitlines() == [str(package / "templates"), str(package / "sample_data")]


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], ["nonsense"], *([name, "--help"] for name in QUICK), ["issue", "--nonsense"]],
    ids=" ".join,
)
def test_quick_answers_load_nothing_heavy(arguments: list[str], root: Path) -> None:
    """Help, version and a slip of the pen are answered at once: no room that reads, sends, stores or draws is loaded."""
    assert loaded(root, *arguments) & HEAVY == set()


def test_completion_loads_nothing_heavy(root: Path) -> None:
    """Whoever presses the tabulator waits for nothing."""
    asked = {"_BATCH_ISSUER_COMPLETE": "bash_complete", "COMP_WORDS": "batch-issuer issue --lim", "COMP_CWORD": "2"}
    assert loaded(root, **asked) & HEAVY == set()


def test_checking_loads_neither_network_nor_ledger(root: Path, tmp_path: Path) -> None:
    """`check` of a small CSV reads and judges: what sends, stores, draws or reads large files costs it nothing."""
    file, ledger = root / "sample_data" / "ventas-kiosco.csv", tmp_path / "none.db"
    heavy = {"aiohttp", "httpx", "sqlalchemy", "pandas", "openpyxl", "xlsxwriter", "jinja2"}
    assert loaded(root, "check", str(file), "--ledger", str(ledger)) & heavy == set()


def loaded(root: Path, *arguments: str, **environment: str) -> set[str]:
    """The modules that one call of the program has imported by its end."""
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('modules:', *sys.modules, file=sys.stderr))\n"
        "from batch_issuer.cli import main\n"
        "main()"
    )
    command = [sys.executable, "-c", code, *arguments]
    shown = subprocess.run(
        command, cwd=root, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in shown.stderr
    assert shown.stdout or shown.returncode == 2, shown.stderr
    return set(shown.stderr.partition("modules:")[2].split())


def test_version_is_the_package_s(root: Path) -> None:
    """`python -m batch_issuer --version` says the version that the wheel carries."""
    shown = subprocess.run(
        [sys.executable, "-m", "batch_issuer", "--version"], cwd=root, capture_output=True, text=True, check=True
    )
    assert __version__ in shown.stdout


def requirement_name(requirement: str) -> str:
    """The normalised name that a requirement begins with."""
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def locked(lock: Path) -> list[str]:
    """The requirements of a lock file, each with its markers and hashes on one line."""
    lines = lock.read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def pins(lock: Path) -> set[str]:
    """The requirements of a lock file without their hashes."""
    return {line.split("--hash")[0].strip() for line in locked(lock)}


@pytest.mark.parametrize("name", ["bench.txt", "core.txt", "dev.txt"])
def test_locks_name_no_host(name: str, root: Path) -> None:
    """A lock file works with whatever package index a machine is set up for."""
    text = (root / "requirements" / name).read_text(encoding="utf-8")
    assert not re.findall(r"\S*(?:://|--index|--extra-index|--find-links|--trusted-host|@ )\S*", text)


@pytest.mark.parametrize("name", ["bench.txt", "core.txt", "dev.txt"])
def test_locks_pin_exactly_and_with_hashes(name: str, root: Path) -> None:
    """Every requirement of a lock file is one version with the digests of its files."""
    requirements = locked(root / "requirements" / name)
    assert requirements
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []


def test_development_uses_the_versions_that_users_get(root: Path) -> None:
    """Whatever the core lock pins, the development lock pins the same, and the benchmarks' what that one does."""
    locks = [pins(root / "requirements" / name) for name in ("core.txt", "dev.txt", "bench.txt")]
    assert [sorted(less - more) for less, more in pairwise(locks)] == [[], []]


def test_locks_hold_every_declared_dependency(root: Path, project: dict[str, Any]) -> None:
    """After a change of the dependencies, `make lock` was run."""
    core = {requirement_name(pin) for pin in pins(root / "requirements" / "core.txt")}
    dev = {requirement_name(pin) for pin in pins(root / "requirements" / "dev.txt")}
    assert {requirement_name(wanted) for wanted in project["project"]["dependencies"]} - core == set()
    assert {requirement_name(wanted) for wanted in project["dependency-groups"]["dev"]} - dev == set()


def imported_packages(module: Path) -> set[str]:
    """Top-level names that a module imports from elsewhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"batch_issuer", "_typeshed"}


def test_dependencies_are_exactly_what_is_imported(root: Path, project: dict[str, Any]) -> None:
    """Nothing is imported that is not declared, and nothing is declared that nobody imports."""
    extras = {
        requirement_name(wanted)
        for wanted_list in project["project"]["optional-dependencies"].values()
        for wanted in wanted_list
    }
    declared = {requirement_name(wanted) for wanted in project["project"]["dependencies"]}
    distributions = packages_distributions()
    names = set().union(*(imported_packages(module) for module in (root / "batch_issuer").rglob("*.py")))
    used = {requirement_name(distributions[name][0]) if name in distributions else name for name in names}
    assert used - extras - declared == set()
    assert declared - INDIRECT - used == set()
