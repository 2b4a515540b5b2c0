"""Where a process counts about itself, and what its lowest layer counts.

The rest is in ``messaging/metrics.py``. No label names a user, a device or a room: who reads these
figures learns how much, never who.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()

# Seconds within which a person says "at once", up to those after which a client gives up.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)

HASH_WAIT_SECONDS = Histogram(
    "gamrae_argon2_wait_seconds",
    "Waiting until a password may be hashed",
    buckets=SECONDS,
    registry=REGISTRY,
)
RATE_LIMITED = Counter("gamrae_rate_limited", "Requests over a limit", ["scope"], registry=REGISTRY)
SIGN_INS = Counter(
    "gamrae_sign_in", "Passwords that were right or not", ["result"], registry=REGISTRY
)
