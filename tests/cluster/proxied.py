"""A cluster as people reach it: through proxies that speak HTTPS and pick a web process."""

import signal
from pathlib import Path

from tests.cluster.processes import Cluster, Settings
from tests.cluster.proxy import Proxy
from tests.e2e.site import newest_link

# Programs prove their device at the public address only, and letters name it: dana, elsewhere.
PUBLIC = "two"
PINNED = {"alice": "one", "bob": "two", "dana": "two", "mallory": "two", "elsewhere": "two"}


class ProxiedCluster(Cluster):
    """Two web processes and an archiver behind three entrances.

    Entrance ``one`` leads to the first web process as long as it answers, ``two`` to the second,
    ``any`` to either.
    """

    def __init__(self, folder: Path, settings: Settings, certificates: Path) -> None:
        names = ("one", "two", "any")
        self.entrances = {name: Proxy(folder / f"proxy-{name}", certificates) for name in names}
        behind = {
            "PUBLIC_URL": self.entrances[PUBLIC].address,
            "ALLOWED_ORIGINS": ",".join(each.address for each in self.entrances.values()),
            "TRUSTED_PROXIES": "127.0.0.1",
        }
        super().__init__(folder, {**settings, **behind})

    @property
    def address(self) -> str:
        """What people type who are bound to no web process."""
        return self.entrances["any"].address

    def entrance_of(self, name: str) -> Proxy:
        """By which way this person of the cast comes."""
        return self.entrances[PINNED.get(name, "any")]

    def start(self) -> "ProxiedCluster":
        """Start what does not run, for the first time or again; the proxies try everybody anew."""
        if not self.entrances["any"].is_running:
            self.one.manage("migrate", "--verbosity", "0")
            self._open_entrances()
        for process in (self.archiver, self.one, self.two):
            if not process.is_running:
                process.start()
        for entrance in self.entrances.values():
            entrance.reload()
        return self

    def _open_entrances(self) -> None:
        one, two = (f"server 127.0.0.1:{site.port}" for site in (self.one, self.two))
        self.entrances["one"].start(f"{one}; {two} backup;")
        self.entrances["two"].start(f"{two}; {one} backup;")
        self.entrances["any"].start(f"{one}; {two};")

    def end(self, number: int = signal.SIGTERM) -> None:
        """Everything ends but the proxies: to people, the server is gone."""
        for process in (self.one, self.two, self.archiver):
            process.end(number)

    def stop(self) -> None:
        """Leave nothing behind."""
        super().stop()
        for entrance in self.entrances.values():
            entrance.stop()

    def manage(self, *words: str, **changes: str) -> None:
        """Run a management command against the same data."""
        self.one.manage(*words, **changes)

    def link_in_mail(self, path: str) -> str:
        """The address under ``path`` in the last letter that a web process wrote."""
        return newest_link(path, self.one, self.two)
