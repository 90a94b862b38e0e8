"""Durations as people write and read them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return seconds as people say them: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def parse_duration(text: str) -> float:
    """Read `90`, `90s`, `10m` or `2h` as seconds. Raises `ValueError` for anything else."""
    units = {"s": 1, "m": 60, "h": 3600}
    unit = units.get(text[-1:].lower())
    number = float(text[:-1] if unit else text)
    if not 0 <= number < 1e7:  # `float` also reads «nan» and «inf»
        raise ValueError(text)
    return number * (unit or 1)
