"""Several columns of codes as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from batch_issuer.reading.tables import Codes

Numbers = NDArray[np.int64]

_LARGEST = 1 << 62
"""Beyond, a combination does not fit into 64 bits."""


def combined(columns: Sequence[Codes]) -> Numbers:
    """Return one number for each different combination of codes; they sort as the combinations do."""
    numbers = columns[0].astype(np.int64)
    size = int(numbers.max(initial=0)) + 1
    for codes in columns[1:]:
        width = int(codes.max(initial=0)) + 1
        if size * width > _LARGEST:
            different, numbers = np.unique(numbers, return_inverse=True)
            size = len(different)
        numbers = numbers * width + codes
        size *= width
    return numbers
