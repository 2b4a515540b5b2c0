"""Alerts, dashboard and runbook speak of metrics that exist, and of each other."""

import json
import re
from pathlib import Path

import pytest
import yaml

from accounts.metrics import REGISTRY
from tests.messaging.test_metrics import declared_metrics

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "monitoring"
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
BY_NAME = {rule["alert"]: rule for rule in RULES}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SCRAPED_ALSO = {"up"}  # Prometheus' own
PARTS = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
SELECTOR = re.compile(r"\b(gamrae_\w+|process_\w+|up)\b(?:\{(.*?)\})?")
IN_RULES = {"job", "instance"}  # which Prometheus adds


def scraped():
    """name as a query has it → the labels of that metric."""
    labels = {each.describe()[0].name: set(each._labelnames) for each in declared_metrics()}
    found: dict[str, set[str]] = {name: set() for name in SCRAPED_ALSO}
    for metric in REGISTRY.collect():
        for part in PARTS[metric.type]:
            found[metric.name + part] = labels.get(metric.name, set())
    return found


def wrong_names(expression):
    """What an expression asks for that no process tells."""
    known = scraped()
    wrong = []
    for name, matchers in SELECTOR.findall(expression):
        labels = set(re.findall(r"(\w+)[=!]", matchers))
        if name not in known or not labels <= known[name] | IN_RULES:
            wrong.append((name, labels))
    return wrong


def test_a_name_that_nobody_tells_is_found():
    assert wrong_names("rate(gamrae_sends_total[5m])") == [("gamrae_sends_total", set())]
    assert wrong_names('gamrae_send_total{user="x"}') == [("gamrae_send_total", {"user"})]
    assert wrong_names('rate(gamrae_send_total{result="busy"}[5m])') == []


@pytest.mark.parametrize("name", BY_NAME)
def test_an_alert_asks_for_what_is_told_and_names_its_entry(name):
    rule = BY_NAME[name]

    assert SELECTOR.search(rule["expr"])
    assert wrong_names(rule["expr"]) == []
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"


def test_every_alert_has_one_entry_in_the_runbook_and_every_entry_an_alert():
    entries = re.findall(r"^### (\w+)$", RUNBOOK, re.M)

    assert len(RULES) == len(BY_NAME)
    assert sorted(entries) == sorted(BY_NAME)


@pytest.mark.parametrize("name", BY_NAME)
def test_an_entry_says_what_to_do_and_stands_where_it_is_looked_for(name):
    now, today = RUNBOOK.split("\n## Now\n")[1].split("\n## Today\n")
    part = now if BY_NAME[name]["labels"]["severity"] == "page" else today
    entry = re.split(r"^##", part.split(f"### {name}\n")[1], maxsplit=1, flags=re.M)[0]

    assert "*Look" in entry
    assert "*Do:*" in entry


def test_the_runbook_speaks_of_metrics_that_exist():
    told = set(re.findall(r"`(gamrae_\w+|process_\w+)`", RUNBOOK))
    families = set(scraped()) | {metric.name for metric in REGISTRY.collect()}

    assert told
    assert told - families == set()


@pytest.mark.parametrize("title", [panel["title"] for panel in PANELS])
def test_a_panel_shows_what_is_told(title):
    [panel] = [each for each in PANELS if each["title"] == title]

    assert panel["description"]
    for target in panel["targets"]:
        assert SELECTOR.search(target["expr"])
        assert wrong_names(target["expr"]) == []


def test_the_dashboard_shows_every_metric_of_ours():
    shown = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    families = [metric.name for metric in REGISTRY.collect() if "gamrae" in metric.name]

    assert [name for name in families if name not in shown] == []


def test_panels_do_not_lie_on_each_other():
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_prometheus_is_told_of_both_kinds_of_process_and_of_the_rules():
    told = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    settings = compose["services"]["web"]["environment"]
    jobs = {job["job_name"]: job["dns_sd_configs"][0] for job in told["scrape_configs"]}

    assert told["rule_files"] == ["alerts.yml"]
    assert {job["names"][0] for job in jobs.values()} == {"web", "archiver"}
    assert {str(job["port"]) for job in jobs.values()} == {settings["METRICS_PORT"]}
    assert set(jobs) == {"gamrae-web", "gamrae-archiver"}
    assert "prometheus" in compose["services"]
    assert set(compose["services"]["prometheus"]["networks"]) == {"data", "watch"}
