"""The reconciliation as one HTML file that opens anywhere, without network, and is complete without script but for the
list of documents that need nobody. The same reconciliation gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from batch_issuer.documents import State, total_of
from batch_issuer.messages import Messages
from batch_issuer.reconciliation import Cause, Reconciliation
from batch_issuer.reports import figures, wording
from batch_issuer.reports.exceptions import gather, oldest_first, tasks
from batch_issuer.reports.listing import BRIEF, inside_script, listed_records, listing
from batch_issuer.reports.pictures import hours, length_of, state_bar
from batch_issuer.reports.replacing import replace_file
from batch_issuer.reports.series import series_of
from batch_issuer.resources import templates_folder
from batch_issuer.rules.catalogs import payment_methods

STATIC_LIST = 250
"""Up to so many documents the whole list is in the page as a table too, for printing and for readers without script."""


def write_page(reconciliation: Reconciliation, messages: Messages, path: Path, *, mask: bool = False) -> None:
    """Write the page. `mask` hides identity numbers, telephones and addresses, and leaves initials of names."""
    replace_file(path, page_text(reconciliation, messages, mask=mask).encode())


def page_text(reconciliation: Reconciliation, messages: Messages, *, mask: bool = False) -> str:
    """The page as text."""
    environment = _environment()
    style = environment.get_template("report.css").render(_=messages.text)
    script = environment.get_template("report.js").render()
    context = {
        **_figures(reconciliation, messages),
        **_tools(messages, mask=mask),
        "style": Markup(style),  # noqa: S704 - our own file
        "script": Markup(script),  # noqa: S704 - our own file
        "style_hash": _content_hash(style),
        "script_hash": _content_hash(script),
        "listing": Markup(listing(reconciliation, messages, mask=mask)),  # noqa: S704 - escaped for script elements
        "script_texts": Markup(inside_script(_script_texts(messages))),  # noqa: S704 - as above
    }
    return environment.get_template("report.html.j2").render(context)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )


def _content_hash(text: str) -> str:
    """The digest by which the content-security policy knows an inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
