"""How each of the four servers is started privately: own data, own port, no system service."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.services.processes import NotStarted, Process, free_port, spawn

PLACES = ("/usr/sbin", "/usr/lib/rabbitmq/bin", "/usr/local/sbin", "/opt/homebrew/sbin")
# A test server, a small one: figures of a busy machine with 2 cores and little memory.
MARIADB = (
    "--skip-name-resolve",
    "--skip-log-bin",
    "--bind-address=127.0.0.1",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_bin",
    "--innodb-buffer-pool-size=64M",
    "--innodb-flush-log-at-trx-commit=2",  # survives kill -9, waits for no disk
    "--performance-schema=off",
    "--max-connections=300",
)
RABBITMQ = """\
loopback_users.guest = true
default_user = {user}
default_pass = {password}
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
"""
RABBITMQ_TLS = """\
listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {folder}/ca.pem
ssl_options.certfile = {folder}/server.pem
ssl_options.keyfile = {folder}/server.key
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
"""


@dataclass(frozen=True)
class Up:
    """What was started, and the settings by which Gamrae finds it."""

    processes: list[Process]
    settings: dict[str, str]


def program(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    places = os.pathsep.join([*PLACES, os.environ.get("PATH", os.defpath)])
    for name in names:
        if found := shutil.which(name, path=places):
            return found
    raise NotStarted(f"{names[0]} is not installed")


def mariadb(folder: Path, tls: bool) -> Up:
    """A MariaDB with one user who may make databases, as Django's tests want to."""
    port, data, password = free_port(), folder / "mariadb", secrets.token_hex(16)
    user = f"--user={pwd.getpwuid(os.getuid()).pw_name}"
    own = ["--no-defaults", f"--datadir={data}", user]
    _run(folder, program("mariadb-install-db", "mysql_install_db"), *own, "--skip-test-db",
         "--auth-root-authentication-method=normal")  # fmt: skip
    if tls:
        own += [f"--ssl-ca={folder}/ca.pem", f"--ssl-cert={folder}/server.pem"]
        own += [f"--ssl-key={folder}/server.key", "--require-secure-transport=ON"]
    first = folder / "mariadb.sql"
    first.touch(mode=0o600)
    first.write_text(
        "CREATE DATABASE gamrae;\n"
        f"CREATE USER gamrae@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        "GRANT ALL ON *.* TO gamrae@'127.0.0.1';\n"
    )
    # The socket's name is short because its path may have no more than about 100 characters.
    paths = ["--socket=s", f"--pid-file={folder}/mariadb.pid", f"--init-file={first}"]
    server = [program("mariadbd", "mysqld"), *own, *paths, f"--port={port}", *MARIADB]
    process = spawn(folder, "mariadb", server, port=port)
    url = f"mysql://gamrae:{password}@127.0.0.1:{port}/gamrae"
    return Up([process], {"DATABASE_URL": url, **_ca("DATABASE_CA", folder, tls)})


def redis(folder: Path, tls: bool) -> Up:
    """A Redis that keeps nothing on disk."""
    port, password = free_port(), secrets.token_hex(16)
    own = ["--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"]
    own += ["--requirepass", password, "--set-proc-title", "no"]  # `ps` shows how it was started
    if tls:
        own += ["--port", "0", "--tls-port", port, "--tls-auth-clients", "no"]
        own += ["--tls-cert-file", folder / "server.pem", "--tls-key-file", folder / "server.key"]
        own += ["--tls-ca-cert-file", folder / "ca.pem"]
    else:
        own += ["--port", port]
    command = [program("redis-server", "valkey-server"), *(str(word) for word in own)]
    process = spawn(folder, "redis", command, port=port)
    url = f"redis{'s' if tls else ''}://:{password}@127.0.0.1:{port}/0"
    return Up([process], {"REDIS_URL": url, **_ca("REDIS_CA", folder, tls)})


def rabbitmq(folder: Path, tls: bool) -> Up:
    """A RabbitMQ of one node, and the name server of Erlang that it needs."""
    port, names_port, home = free_port(), free_port(), folder / "rabbitmq"
    home.mkdir()
    password = secrets.token_hex(16)
    lines = RABBITMQ.format(user="gamrae", password=password)
    lines += (
        RABBITMQ_TLS.format(port=port, folder=folder)
        if tls
        else f"listeners.tcp.1 = 127.0.0.1:{port}\n"
    )
    (home / "rabbitmq.conf").write_text(lines)
    (home / "enabled_plugins").write_text("[].")
    (home / "environment").write_text("")
    # Started here and in the foreground, it ends with the rest; else RabbitMQ leaves one behind.
    names = spawn(
        folder,
        "epmd",
        [program("epmd"), "-port", str(names_port), "-address", "127.0.0.1"],
        port=names_port,
    )
    script = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # the one in PATH insists on a user of its own
    command = script if Path(script).exists() else program("rabbitmq-server")
    environment = _rabbitmq_environment(home, port, names_port)
    process = spawn(folder, "rabbitmq", [command], port=port, environment=environment)
    url = f"amqp{'s' if tls else ''}://gamrae:{password}@127.0.0.1:{port}/%2F"
    return Up([process, names], {"BROKER_URL": url, **_ca("BROKER_CA", folder, tls)})


def _rabbitmq_environment(home: Path, port: int, names_port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")}
    return kept | {
        "HOME": str(home),  # where Erlang keeps its cookie
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(names_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"gamrae{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "environment"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(home / "pid"),
        # No busy waiting: the two cores have other work.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
    }


def mongodb(folder: Path, tls: bool) -> Up:
    """A real mongod when there is one, else the compatible server of the test requirements."""
    port, data = free_port(), folder / "mongodb"
    try:
        command, process = [program("mongod")], None
        data.mkdir()
        own = ["--dbpath", data, "--port", port, "--bind_ip", "127.0.0.1"]
        if tls:
            pem = folder / "mongodb.pem"
            pem.touch(mode=0o600)
            pem.write_bytes(
                b"".join((folder / n).read_bytes() for n in ("server.pem", "server.key"))
            )
            own += ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", pem]
    except NotStarted:
        command = [str(Path(sys.executable).with_name("secantusd-py"))]
        own = ["--storage-path", data, "--host", "127.0.0.1", "--port", port]
        own += ["--log-level", "WARNING"]
        if tls:
            own += ["--tls-cert-file", folder / "server.pem"]
            own += ["--tls-key-file", folder / "server.key"]
    process = spawn(folder, "mongodb", [*command, *(str(word) for word in own)], port=port)
    url = f"mongodb://127.0.0.1:{port}/gamrae{'?tls=true' if tls else ''}"
    return Up([process], {"MONGO_URL": url, **_ca("MONGO_CA", folder, tls)})


def _ca(name: str, folder: Path, tls: bool) -> dict[str, str]:
    return {name: str(folder / "ca.pem")} if tls else {}


def _run(folder: Path, *command: str) -> None:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise NotStarted(f"{Path(command[0]).name}: {(ran.stderr or ran.stdout).strip()[-500:]}")


# The setting that names a server that is there already, and how to start one. Slowest first.
SERVERS: dict[str, Callable[[Path, bool], Up]] = {
    "BROKER_URL": rabbitmq,
    "DATABASE_URL": mariadb,
    "MONGO_URL": mongodb,
    "REDIS_URL": redis,
}
