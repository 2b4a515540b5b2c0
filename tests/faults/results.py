"""What scenarios gave: one object each for programs, and the table of docs/faults.md."""

import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.scenarios.table import SCENARIOS
from tests.faults.stage import Outcome

BEGIN, END = "<!-- results -->", "<!-- end of results -->"
COUNTED = ("attempted", "accepted", "stored", "lost", "duplicated", "disordered")
HEAD = (
    "| | scenario | attempted | accepted | stored | lost | doubled | disordered"
    " | noticed | healed | refusals | reconnects | peak MiB | seed |\n"
    "| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
)


Result = dict[str, Any]


def as_result(outcome: Outcome) -> Result:
    """Everything that a program may want to know."""
    return {
        "scenario": outcome.scenario.name,
        "number": outcome.scenario.number,
        **asdict(outcome.verdict),
        "seed": outcome.seed,
        "seconds": round(outcome.seconds, 1),
        "noticed": None if outcome.noticed is None else round(outcome.noticed, 2),
        "healed": round(outcome.healed, 2),
        "refusals": outcome.refusals,
        "reconnects": outcome.reconnects,
        "peak_mib": round(outcome.peak_mib),
        "complaints": list(outcome.complaints),
    }


def as_row(result: Result) -> str:
    """One line of the table."""
    noticed = result["noticed"]
    cells = [
        result["number"],
        f"`{result['scenario']}`: {SCENARIOS[result['scenario']].what}",
        *(result[name] for name in COUNTED),
        "–" if noticed is None else f"{noticed:.1f} s",
        f"{result['healed']:.1f} s",
        result["refusals"],
        result["reconnects"],
        result["peak_mib"],
        result["seed"],
    ]
    return f"| {' | '.join(map(str, cells))} |"


def write(page: Path, about: str, results: Iterable[Result]) -> None:
    """Put a fresh table in the place of the old one."""
    table = "\n".join([HEAD, *map(as_row, results)])
    text = page.read_text()
    fresh = f"{BEGIN}\n\n{about}\n\n{table}\n\n{END}"
    page.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: fresh, text, flags=re.S))
