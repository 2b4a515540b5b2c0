"""What processes tell whoever watches them: what the document says, counted, about nobody."""

import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.metrics import MetricWrapperBase

import accounts.metrics
from accounts.protocol import to_base64url
from messaging import metrics
from messaging.metrics import CannotServe, serve
from tests.e2e.site import free_port
from tests.messaging.live import live, serving

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
SUFFIX = {"counter": "_total"}


def metrics_in_code():
    """name as scraped → kind and labels, of everything of ours."""
    found = {}
    for metric in declared_metrics():
        [told] = metric.describe()
        name = told.name + SUFFIX.get(told.type, "")
        found[name] = (told.type, tuple(metric._labelnames))
    return found


def declared_metrics():
    both = vars(metrics) | vars(accounts.metrics)
    return [metric for metric in both.values() if isinstance(metric, MetricWrapperBase)]


def metrics_in_document():
    section = DOCUMENT.read_text().split("### Metrics")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(gamrae_\w+)(?:\{(\w+)\})?` \| (\w+) \|", section, re.M)
    return {name: (kind, (label,) if label else ()) for name, label, kind in rows}


def test_every_metric_is_in_the_table_and_the_table_holds_no_other():
    assert metrics_in_document() == metrics_in_code()


def test_no_label_can_name_a_user_a_device_or_a_room():
    labels = {label for _, names in metrics_in_code().values() for label in names}

    assert labels == {
        "code",
        "kind",
        "partition",
        "queue",
        "reason",
        "result",
        "scope",
        "service",
        "status",
    }


def test_nothing_is_counted_that_the_modules_of_metrics_do_not_declare():
    declared = {metric.describe()[0].name for metric in declared_metrics()}
    assert {
        each.name for each in accounts.metrics.REGISTRY.collect() if "gamrae" in each.name
    } == declared


def samples(address):
    """What a scrape gives, by name and labels."""
    lines = httpx.get(f"{address}/metrics").text.splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"
    }


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
async def test_a_server_counts_its_sockets_and_messages(garden, tmp_path):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    members = {
        "room_id": str(garden.id),
        "envelope": to_base64url(garden.chain.seal("alice", "hello").envelope),
    }
    with serving(tmp_path, METRICS_PORT=str(port)) as server:
        async with live(server.address, garden.cast.alice) as alice:
            await alice.ask("message.send", **members)
            again = await alice.ask("message.send", **members)
            during = samples(address)
        while (after := samples(address))["gamrae_ws_connections"]:
            pass

    assert again["event"] == "reply"
    assert during["gamrae_ws_connections"] == 1
    assert during['gamrae_send_total{result="accepted"}'] == 2
    assert during["gamrae_accept_seconds_count"] == 2
    assert during["gamrae_store_lag_seconds_count"] == 1
    assert during['gamrae_dup_total{kind="message"}'] == 1
    assert during["gamrae_delivery_seconds_count"] == 2
    assert during['gamrae_queue_depth{partition="00"}'] == 0
    assert during["gamrae_oldest_message_age_seconds"] == 0
    assert during["process_resident_memory_bytes"] > 0
    assert after['gamrae_ws_close_total{code="client"}'] == 1


def test_a_port_that_is_taken_is_named(tmp_path):
    port = free_port()
    serve("127.0.0.1", port)

    with pytest.raises(CannotServe, match="METRICS_PORT"):
        serve("127.0.0.1", port)


def test_port_zero_serves_nothing():
    serve("nowhere.invalid", 0)
