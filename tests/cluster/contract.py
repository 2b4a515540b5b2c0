"""The contract tests of tests/messaging, to be run against something else than there."""

from types import ModuleType
from typing import Any


def promises_of(contract: ModuleType) -> dict[str, Any]:
    """Its tests by name; the module that takes them over brings a fixture of its own."""
    return {name: test for name, test in vars(contract).items() if name.startswith("test_")}
