"""One number that was measured, and how many of them are shown."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """``case`` on ``stack``: ``metric`` is ``value`` in ``unit``."""

    case: str
    stack: str
    metric: str
    unit: str
    value: float

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def percentiles(case: str, stack: str, what: str, seconds: Sequence[float]) -> list[Result]:
    """Median, 95th and 99th percentile, in milliseconds."""
    ordered = sorted(seconds)
    return [
        Result(case, stack, f"{what} p{share}", "ms", 1000 * ordered[len(ordered) * share // 100])
        for share in (50, 95, 99)
        if ordered
    ]


def timed(work: Callable[[], object], times: int) -> list[float]:
    """How long each of ``times`` runs took, in seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return found


def table(results: Iterable[Result]) -> str:
    """The results as aligned text."""
    rows = [("case", "stack", "metric", "value", "unit")]
    rows += [(r.case, r.stack, r.metric, f"{r.value:,.2f}", r.unit) for r in results]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column == 3 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
