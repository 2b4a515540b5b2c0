"""Started by bin/secrets [HOST]: makes the files that deploy/compose.yaml calls secrets.

Each password is made here, once; nobody has to know or type one. HOST is the one of PUBLIC_URL.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

from deploy.services.certificates import DAYS, make_certificates

# A container's user is none of this machine's: what it may read, everybody may. Nobody else comes
# so far, because the folder is its owner's alone, and a container sees single files of it.
FOLDER_MODE, FILE_MODE = 0o700, 0o444


def secret_files() -> dict[str, str]:
    """The name of each file and what is in it; passwords are letters and digits only."""
    mysql, broker, mongo, redis = (secrets.token_hex(24) for _ in range(4))
    return {
        "secret_key": secrets.token_urlsafe(48),
        "mysql_password": mysql,
        "mysql_root_password": secrets.token_hex(24),
        "database_url": f"mysql://gamrae:{mysql}@mysql:3306/gamrae",
        "rabbitmq_conf": f"default_user = gamrae\ndefault_pass = {broker}\n",
        "broker_url": f"amqp://gamrae:{broker}@rabbitmq:5672/%2F",
        "mongo_password": mongo,
        "mongo_root_password": secrets.token_hex(24),
        "mongo_keyfile": secrets.token_hex(256),
        "mongo_url": f"mongodb://gamrae:{mongo}@mongo:27017/gamrae?replicaSet=gamrae",
        "redis_conf": f"requirepass {redis}\n",
        "redis_url": f"redis://:{redis}@redis:6379/0",
        "email_url": "smtp://mail:1025",
    }


def write(folder: Path, host: str) -> None:
    """Fill a new folder; it gets its name only when it is complete."""
    draft = folder.with_name(f"{folder.name}.draft-{os.getpid()}")
    draft.mkdir(parents=True, mode=FOLDER_MODE)
    for name, content in secret_files().items():
        (draft / name).write_text(content)
    make_certificates(draft, host)
    (draft / "server.pem").rename(draft / "tls_cert")
    (draft / "server.key").rename(draft / "tls_key")
    for file in draft.iterdir():
        file.chmod(FILE_MODE)
    draft.rename(folder)


def main(arguments: list[str]) -> int:
    """Make the folder, unless there is one: its passwords are those of databases that exist."""
    parser = argparse.ArgumentParser(prog="bin/secrets", description=__doc__)
    parser.add_argument("host", nargs="?", default="localhost")
    host: str = parser.parse_args(arguments).host
    folder = Path(os.environ.get("GAMRAE_SECRETS") or "deploy/secrets").resolve()
    if folder.exists():
        print(f"bin/secrets: {folder} is there already and stays as it is", file=sys.stderr)
        return 1
    write(folder, host)
    print(
        f"bin/secrets: {folder} is made. Its certificate for {host} is good for {DAYS} days and for"
        f" browsers that were given {folder}/ca.pem; put a real one into tls_cert and tls_key."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
