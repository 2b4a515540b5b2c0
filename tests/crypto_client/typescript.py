"""Runs what the TypeScript implementation makes of a case, from Python."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def bundled(name: str, folder: Path) -> Path:
    """One of frontend/tests/crypto as a program for Node."""
    bundle = folder / f"{name}.mjs"
    source = ROOT / f"frontend/tests/crypto/{name}.ts"
    tool = ROOT / "frontend/node_modules/.bin/rolldown"
    options = ["--platform", "node", "--format", "esm", "--file", str(bundle)]
    subprocess.run([tool, source, *options], check=True, capture_output=True)
    return bundle


def run_lines(program: Path, cases: Sequence[Any]) -> list[Any]:
    """Give a program one JSON line for each case; it answers with as many."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    ran = subprocess.run(["node", program], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ran.stdout.split("\n") if line]
