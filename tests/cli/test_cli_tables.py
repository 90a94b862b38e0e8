from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from batch_issuer.cli.screen.tables import harmless
from batch_issuer.reading.cells.values import clean
from batch_issuer.reading.tables import BLANKS

TEXTS = st.text(st.sampled_from("'=+-@\uff1d\uff0d a1.")) | st.text(max_size=12)


@example(text="'=1+1")
@example(text="-5.00")
@given(text=TEXTS.filter(lambda text: text == text.strip(BLANKS)))
def test_no_text_is_a_formula_and_each_comes_back(text: str) -> None:
    """Excel would calculate none of them; read again, each is the text that it was."""
    written = harmless(text)
    assert written[:1] not in tuple("=+@\t\r\n\uff1d\uff0b\uff0d\uff20")
    assert written[:1] != "-" or written[1:].replace(".", "", 1).isdigit()
    assert clean(written) == (text if written != text else clean(text))
