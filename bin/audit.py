"""Asks the advisory services about every pinned package: 0 clean, 1 found, 75 could not ask.

A service that does not answer, or a mirror that carries no advisories, must not look like a clean
result. So the same question is first asked about an old release with published advisories; only
a service that objects to it is believed when it has nothing against ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-mysql.txt")
KNOWN_BAD_PYTHON = "django==3.2.0"
KNOWN_BAD_NPM = {"lodash": "4.17.4"}
UNAVAILABLE = 75
TIMEOUT_SECONDS = 240

Command = list[str]


class Unanswered(Exception):
    """The advisory service gave no usable answer."""


def ask(command: Command, folder: Path = ROOT) -> dict[str, object]:
    """Run a tool that answers in JSON; anything else is Unanswered."""
    try:
        answer = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
        parsed = json.loads(answer.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        raise Unanswered from error
    if not isinstance(parsed, dict):
        raise Unanswered
    return parsed


def python_findings(lock: Path) -> list[str]:
    """List "name version advisory" for every finding in a requirements file."""
    command = [sys.executable, "-m", "pip_audit", "--strict", "--no-deps", "--disable-pip"]
    answer = ask([*command, "--format", "json", "--requirement", str(lock)])
    dependencies = answer.get("dependencies")
    if not isinstance(dependencies, list):
        raise Unanswered
    return [
        f"{package['name']} {package['version']} {found['id']}"
        for package in dependencies
        for found in package.get("vulns", [])
    ]


def npm_findings(folder: Path) -> list[str]:
    """List "name severity" for every finding in a package-lock.json."""
    answer = ask(["npm", "audit", "--json"], folder)
    found = answer.get("vulnerabilities")
    if not isinstance(found, dict):
        raise Unanswered
    return [f"{name} {details['severity']}" for name, details in sorted(found.items())]


def audit_python() -> list[str]:
    """Audit the Python locks, after the service has objected to a known bad release."""
    with TemporaryDirectory() as scratch:
        control = Path(scratch, "requirements.txt")
        control.write_text(f"{KNOWN_BAD_PYTHON}\n")
        if not python_findings(control):
            raise Unanswered
    return [finding for lock in LOCKS for finding in python_findings(ROOT / lock)]


def audit_npm() -> list[str]:
    """Audit the npm lock, after the service has objected to a known bad release."""
    with TemporaryDirectory() as scratch:
        write_npm_control(Path(scratch))
        if not npm_findings(Path(scratch)):
            raise Unanswered
    return npm_findings(ROOT / "frontend")


def write_npm_control(folder: Path) -> None:
    """Write a lock that names one known bad release; nothing of it is ever installed."""
    name, version = next(iter(KNOWN_BAD_NPM.items()))
    project = {"name": "control", "version": "1.0.0"}
    packages = {
        "": {**project, "dependencies": KNOWN_BAD_NPM},
        f"node_modules/{name}": {"version": version},
    }
    lock = {**project, "lockfileVersion": 3, "requires": True, "packages": packages}
    (folder / "package.json").write_text(json.dumps({**project, "dependencies": KNOWN_BAD_NPM}))
    (folder / "package-lock.json").write_text(json.dumps(lock))


def main() -> int:
    findings: list[str] = []
    silent: list[str] = []
    for name, audit in (("Python", audit_python), ("npm", audit_npm)):
        try:
            findings += audit()
        except Unanswered:
            silent.append(name)
    print("\n".join(findings))
    if findings:
        return 1
    if silent:
        print(f"no advisories for {' and '.join(silent)} packages could be fetched")
        return UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
