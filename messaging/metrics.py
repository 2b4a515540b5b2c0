"""What a process counts about itself, for whoever watches it (docs/operations.md, "Metrics").

What apps below count is in ``accounts/metrics.py``, in the same registry. No label names a user, a
device or a room: who reads these figures learns how much, never who.
"""

from prometheus_client import Counter, Gauge, Histogram, ProcessCollector, start_http_server

from accounts.metrics import REGISTRY, SECONDS

ProcessCollector(registry=REGISTRY)

RECORDS = (1, 2, 5, 10, 20, 50, 100, 200)

SOCKETS = Gauge("gamrae_ws_connections", "Sockets open now", registry=REGISTRY)
CLOSES = Counter(
    "gamrae_ws_close", "Sockets closed, by the code we chose", ["code"], registry=REGISTRY
)
SENDS = Counter("gamrae_send", "Messages by their outcome", ["result"], registry=REGISTRY)
ACCEPT_SECONDS = Histogram(
    "gamrae_accept_seconds", "From frame to answer", buckets=SECONDS, registry=REGISTRY
)
CONFIRM_SECONDS = Histogram(
    "gamrae_confirm_seconds", "Waiting for the queue's confirm", buckets=SECONDS, registry=REGISTRY
)
UNCONFIRMED = Gauge(
    "gamrae_publish_unconfirmed", "Messages waiting for a confirm", registry=REGISTRY
)
STORE_LAG_SECONDS = Histogram(
    "gamrae_store_lag_seconds", "From accepted to stored", buckets=SECONDS, registry=REGISTRY
)
QUEUE_DEPTH = Gauge(
    "gamrae_queue_depth", "Messages that wait for the log", ["partition"], registry=REGISTRY
)
OLDEST_SECONDS = Gauge(
    "gamrae_oldest_message_age_seconds",
    "Since the oldest message that waits for the log was accepted",
    registry=REGISTRY,
)
LAID_ASIDE = Gauge(
    "gamrae_laid_aside", "Messages that wait for an operator", ["queue"], registry=REGISTRY
)
BATCH_RECORDS = Histogram(
    "gamrae_persist_batch_size", "Records in one batch", buckets=RECORDS, registry=REGISTRY
)
DUPLICATES = Counter("gamrae_dup", "Records that were there before", ["kind"], registry=REGISTRY)
SEQ_CONFLICTS = Counter(
    "gamrae_seq_conflict", "Places that another archiver took first", registry=REGISTRY
)
STORE_RETRIES = Counter(
    "gamrae_store_retry", "Batches tried again because the log is away", registry=REGISTRY
)
PARKED = Counter("gamrae_parked", "Messages that no archiver could read", registry=REGISTRY)
FANOUT_SECONDS = Histogram(
    "gamrae_fanout_seconds", "Handing a frame to the fan-out", buckets=SECONDS, registry=REGISTRY
)
FANOUT_LOST = Counter(
    "gamrae_fanout_lost", "Frames that the fan-out did not take", registry=REGISTRY
)
DELIVERY_SECONDS = Histogram(
    "gamrae_delivery_seconds",
    "From a message's acceptance into the sockets of this process",
    buckets=SECONDS,
    registry=REGISTRY,
)
HEADS_MISMATCHES = Counter(
    "gamrae_heads_mismatch", "Rooms whose news did not reach this process", registry=REGISTRY
)
DATABASE_BUSY = Gauge(
    "gamrae_database_busy", "Threads of the sockets at work in the database", registry=REGISTRY
)
CONTROL_ERRORS = Counter(
    "gamrae_layer_send_errors", "News of persons and devices that were lost", registry=REGISTRY
)
SYNC_SECONDS = Histogram(
    "gamrae_sync_seconds", "Answering one sync", buckets=SECONDS, registry=REGISTRY
)
RESYNCS = Counter(
    "gamrae_resync", "Rooms told to sync, by the reason", ["reason"], registry=REGISTRY
)
HTTP_ANSWERS = Counter(
    "gamrae_http_answers", "Answers to requests, by their status", ["status"], registry=REGISTRY
)
HTTP_SECONDS = Histogram(
    "gamrae_http_seconds", "From a request to its answer", buckets=SECONDS, registry=REGISTRY
)
UP = Gauge(
    "gamrae_service_up", "Whether a service answered last (1) or not (0)", ["service"],
    registry=REGISTRY,
)  # fmt: skip


class CannotServe(Exception):
    """The port of the metrics is taken or not ours; the text is one sentence for a person."""


def serve(host: str, port: int) -> None:
    """Answer scrapes from a thread of its own until the process ends; port 0: not at all."""
    if not port:
        return
    try:
        start_http_server(port, host, REGISTRY)
    except OSError as error:
        raise CannotServe(
            f"METRICS_HOST, METRICS_PORT: cannot listen at {host}:{port}: {error}"
        ) from error
