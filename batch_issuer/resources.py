"""Where the report pages and the sample world lie: inside an installed package, or at the top of a source checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates_folder() -> Path:
    """The folder of the report pages."""
    return _folder("templates")


def sample_data_folder() -> Path:
    """The folder of the miniature world that `demo` runs on. It may be read-only: copy what a run writes beside."""
    return _folder("sample_data")


def _folder(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
