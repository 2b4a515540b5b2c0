"""Every scenario by its name, and the eight that every run of the tests plays."""

from tests.faults.scenarios import archiver, broker, database, fan_out, log, network, web
from tests.faults.stage import Scenario

MODULES = (broker, log, fan_out, database, archiver, web, network)


def _place(scenario: Scenario) -> int:
    return int(scenario.number.removeprefix("F"))


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in sorted((each for module in MODULES for each in module.SCENARIOS), key=_place)
}

ALWAYS = (
    "broker-killed",
    "broker-confirms-lost",
    "log-cut",
    "fan-out-killed",
    "archiver-steps",
    "web-steps",
    "duplicates",
    "everything-killed",
)
