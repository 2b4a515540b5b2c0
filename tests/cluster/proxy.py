"""nginx before web processes, from the template that deployers use."""

import grp
import os
import pwd
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.services.servers import program
from tests.cluster.processes import until
from tests.e2e.site import ROOT, free_port

TEMPLATE = ROOT / "deploy" / "proxy" / "gamrae.conf.template"
AROUND = """\
user {user};
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
events {{ }}
http {{
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    include {folder}/gamrae.conf;
}}
"""


def rendered(variables: Mapping[str, str]) -> str:
    """The template as nginx's own image renders it; a variable without a value is an error."""
    return re.sub(r"\$\{([A-Z_]+)\}", lambda name: variables[name.group(1)], TEMPLATE.read_text())


class Proxy:
    """An entrance to a cluster; ``address`` is what people type there."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.certificates = certificates
        (folder / "error.log").touch()
        self.port = free_port()
        self.plain_port = free_port()
        self.address = f"https://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, web: str) -> "Proxy":
        """Begin to pass people on to the processes that ``web`` lists; returns when it listens."""
        variables = {
            "PROXY_WEB": web,
            "PROXY_HTTPS": f"127.0.0.1:{self.port}",
            "PROXY_HTTP": f"127.0.0.1:{self.plain_port}",
            "PROXY_CERT": str(self.certificates / "server.pem"),
            "PROXY_KEY": str(self.certificates / "server.key"),
            "PUBLIC_URL": self.address,
        }
        (self.folder / "gamrae.conf").write_text(rendered(variables))
        who = f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"
        around = AROUND.format(folder=self.folder, user=who)
        (self.folder / "nginx.conf").write_text(around)
        self.process = subprocess.Popen(self._command())
        until(lambda: not self.is_running or self._said("start worker process ") > 0)
        assert self.is_running, self.complaints()
        return self

    def _command(self, *words: str) -> list[str]:
        files = ("-p", str(self.folder), "-e", str(self.folder / "error.log"), "-c", "nginx.conf")
        return [program("nginx"), *files, *words]

    def reload(self) -> None:
        """As after a change of its configuration; returns when the new worker alone listens.

        The old one may hold a grudge against web processes that answer again.
        """
        begun, ended = self._said("start worker process "), self._said("gracefully shutting down")
        subprocess.run(self._command("-s", "reload"), check=True, capture_output=True)
        until(lambda: self._said("start worker process ") > begun)
        until(lambda: self._said("gracefully shutting down") > ended)

    def _said(self, words: str) -> int:
        return self.complaints().count(words)

    def complaints(self) -> str:
        """What nginx wrote about itself and about web processes that did not answer."""
        return (self.folder / "error.log").read_text()

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Leave nothing behind, whatever happened before."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()  # its worker ends with it, which a kill would leave behind
            self.process.wait(20)
