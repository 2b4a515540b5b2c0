"""The commands, the locks and the documents keep what they promise."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
LOCKS = [
    "requirements",
    "requirements-build",
    "requirements-client",
    "requirements-compose",
    "requirements-dev",
    "requirements-mysql",
    "requirements-uv",
]
COMMANDS = [
    ".ci/run",
    "bin/bench",
    "bin/check",
    "bin/compose",
    "bin/faults",
    "bin/image",
    "bin/lock",
    "bin/run",
    "bin/secrets",
    "bin/services",
    "bin/test",
]
LICENSED = "Apache License\n                           Version 2.0, January 2004"


def script(name: str) -> ModuleType:
    """Load bin/NAME.py, which is no package, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "bin" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


suites = script("suites")
frontend = script("frontend")
audit = script("audit")


def pinned(lock: str) -> dict[str, Version]:
    found = re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", (ROOT / f"{lock}.txt").read_text(), re.M)
    assert found, f"{lock}.txt pins nothing"
    return {canonicalize_name(name): Version(version) for name, version in found}


def wanted(lock: str) -> list[Requirement]:
    lines = (ROOT / f"{lock}.in").read_text().splitlines()
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def markdown_files() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


# Locks


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_what_its_input_asks_for(lock):
    versions = pinned(lock)
    for requirement in wanted(lock):
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_carries_a_hash_and_none_names_where_it_came_from(lock):
    text = (ROOT / f"{lock}.txt").read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.M)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)
    assert not re.search(r"://|--find-links|--index-url", text)


@pytest.mark.parametrize("lock", ["requirements-dev", "requirements-mysql"])
def test_tests_run_with_the_versions_that_are_served(lock):
    served = pinned("requirements")
    assert {name: v for name, v in pinned(lock).items() if served.get(name, v) != v} == {}


# Commands


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_can_be_started_and_is_sound_shell(command):
    assert os.access(ROOT / command, os.X_OK)
    subprocess.run(["sh", "-n", ROOT / command], check=True)


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.2", "v22.13.1", "v24.0.0", "v25.1.0"])
def test_a_node_that_engines_names_is_used(version):
    wanted_node = "^20.19.0 || ^22.13.0 || >=24.0.0"
    assert frontend.engines_allow(wanted_node, frontend.parse_version(version))


@pytest.mark.parametrize("version", ["v18.20.0", "v20.18.9", "v21.7.0", "v22.12.9", "v23.11.0"])
def test_a_node_that_engines_does_not_name_is_not_used(version):
    wanted_node = "^20.19.0 || ^22.13.0 || >=24.0.0"
    assert not frontend.engines_allow(wanted_node, frontend.parse_version(version))


def test_an_engines_range_that_is_not_understood_is_said_and_not_guessed():
    with pytest.raises(ValueError, match="not understood"):
        frontend.engines_allow("~20.19.0", (20, 19, 0))


# Counting


def report(tmp_path: Path, *cases: str) -> Path:
    path = tmp_path / "report.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return path


GOOD = '<testcase classname="a" name="good"/>'
BROKEN = '<testcase classname="a" name="broken"><failure message="no"/></testcase>'
SKIPPED = '<testcase classname="a" name="skipped"><skipped/></testcase>'
SUITE = suites.Suite("python", (), ())


def test_passed_and_failed_tests_are_counted(tmp_path):
    count = suites.judge(SUITE, 1, report(tmp_path, GOOD, GOOD, BROKEN), narrowed=False)
    assert str(count) == "2 passed, 1 failed"


def test_a_skipped_test_is_a_failure(tmp_path, capsys):
    count = suites.judge(SUITE, 0, report(tmp_path, GOOD, SKIPPED), narrowed=False)
    assert str(count) == "1 passed, 1 failed"
    assert "a: skipped" in capsys.readouterr().out


def test_a_suite_without_a_test_is_a_failure(tmp_path):
    assert str(suites.judge(SUITE, 5, report(tmp_path), narrowed=False)) == "0 passed, 1 failed"


def test_a_suite_that_dies_without_a_report_is_a_failure(tmp_path):
    count = suites.judge(SUITE, 0, tmp_path / "none.xml", narrowed=False)
    assert str(count) == "0 passed, 1 failed"


def test_a_status_that_contradicts_the_report_is_a_failure(tmp_path):
    count = suites.judge(SUITE, 3, report(tmp_path, GOOD), narrowed=False)
    assert str(count) == "1 passed, 1 failed"


def test_a_suite_whose_folder_is_missing_is_a_failure(tmp_path):
    suite = suites.Suite("browser", ("true",), ("tests/nowhere",))
    assert str(suites.run_suite(suite, tmp_path, narrowed=False)) == "0 passed, 1 failed"


def test_narrowing_leaves_other_suites_without_a_verdict(tmp_path):
    assert suites.judge(SUITE, 5, report(tmp_path), narrowed=True) == suites.Count()


def test_every_folder_of_tests_belongs_to_exactly_one_suite():
    chosen = suites.suites(fast=False, expression=None)
    assert [suite.name for suite in chosen] == [
        "typescript",
        "python",
        "faults",
        "cluster",
        "browser",
    ]
    own = {folder for suite in chosen[2:] for folder in suite.folders}
    assert own == {word for word in chosen[1].command if word.startswith("tests/")}


LEAVE_ONE_BEHIND = """
import subprocess, suites
suites.LAST_CALL_SECONDS = 0.2
suites.adopt_orphans()
subprocess.run(["sh", "-c", "setsid sleep 600 & echo $!"], check=True)
assert suites.descendants()
suites.end_descendants("test")
assert not suites.descendants()
"""


@pytest.mark.slow
def test_what_a_suite_leaves_behind_is_ended():
    assert sys.platform == "linux", "orphans are found through /proc and adopted by prctl"
    answer = subprocess.run(
        [sys.executable, "-c", LEAVE_ONE_BEHIND],
        env={**os.environ, "PYTHONPATH": str(ROOT / "bin")},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert not Path("/proc", answer.stdout.split()[0]).exists()


# The audit


def test_an_audit_that_no_service_answers_is_not_clean(monkeypatch, capsys):
    def silence(*_):
        raise audit.Unanswered

    monkeypatch.setattr(audit, "ask", silence)
    assert audit.main() == audit.UNAVAILABLE
    assert "Python and npm" in capsys.readouterr().out


def test_an_audit_service_that_knows_no_bad_release_is_not_believed(monkeypatch):
    monkeypatch.setattr(audit, "ask", lambda *_: {"dependencies": [], "vulnerabilities": {}})
    assert audit.main() == audit.UNAVAILABLE


def test_a_finding_of_the_audit_is_named(monkeypatch, capsys):
    vulnerable = {"name": "django", "version": "3.2.0", "vulns": [{"id": "CVE-1"}]}
    answer = {"dependencies": [vulnerable], "vulnerabilities": {"lodash": {"severity": "high"}}}
    monkeypatch.setattr(audit, "ask", lambda *_: answer)
    assert audit.main() == 1
    assert {"django 3.2.0 CVE-1", "lodash high"} <= set(capsys.readouterr().out.splitlines())


# Documents


def test_every_link_between_documents_leads_somewhere():
    links = [
        (path, target.split("#")[0])
        for path in markdown_files()
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text())
        if not re.match(r"[a-z]+:|#", target)
    ]
    assert links
    assert [(p.name, target) for p, target in links if not (p.parent / target).exists()] == []


def test_decisions_are_numbered_without_a_hole_and_say_what_was_decided():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in decisions:
        parts = re.findall(
            r"^(?:## |\*\*)(Context|Decision|Consequences|Cost)", path.read_text(), re.M
        )
        assert parts[:2] == ["Context", "Decision"], path.name
        assert parts[2:] in (["Consequences"], ["Cost"]), path.name


def test_the_licence_is_the_one_we_name():
    assert LICENSED in (ROOT / "LICENSE").read_text()
    assert '"Apache-2.0"' in (ROOT / "frontend" / "package.json").read_text()


def test_development_names_every_command():
    text = (ROOT / "docs" / "development.md").read_text()
    assert [command for command in COMMANDS if f"`{command}" not in text] == []
