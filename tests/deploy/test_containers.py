"""The image and the compose file ask for what they promise, and name settings that exist."""

from __future__ import annotations

import re
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.containers.building import RELEASE, base_name
from deploy.secret_files import secret_files, write

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if "GAMRAE" in each["image"]}
# Documented in docs/operations.md, which another test compares with the code.
OPERATIONS = (ROOT / "docs/operations.md").read_text()
SETTINGS = set(re.findall(r"^\| `([A-Z_]+)` \|", OPERATIONS, re.M))
STARTED = {"web": "serve", "archiver": "archive_messages", "migrate": "migrate"}


def final_stage() -> str:
    return DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


# The image


def test_the_image_runs_as_an_ordinary_user_and_ends_without_a_shell():
    assert re.search(r"^USER 10001:10001$", final_stage(), re.M)
    assert "/healthz/live" in (ROOT / "deploy/image/healthcheck.py").read_text()
    assert re.search(r'^ENTRYPOINT \["/app/deploy/image/start"\]$', final_stage(), re.M)


def test_every_package_of_the_image_is_checked_against_a_hash():
    installed = re.findall(r"-r (requirements\S*\.txt)", DOCKERFILE)
    assert sorted(installed) == sorted(
        f"requirements{which}.txt" for which in ("", "-mysql", "-uv")
    )
    assert DOCKERFILE.count("--require-hashes") == 2  # the installer's own, and one for the others
    assert "pip install" not in final_stage()


def test_the_image_sets_only_settings_that_exist():
    block = re.search(r"^ENV (PATH=.*?[^\\])$", final_stage(), re.M | re.S)
    assert block is not None
    names = set(re.findall(r"([A-Z_]+)=", block[1])) - {"PATH"}
    assert {name for name in names if not name.startswith("PYTHON")} <= SETTINGS


@pytest.mark.parametrize("word", ["web", "archiver", "migrate", "doctor"])
def test_a_word_chooses_what_a_container_does(tmp_path, word):
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "python").chmod(0o755)
    said = subprocess.run(
        [ROOT / "deploy/image/start", word, "--verbosity", "2"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == f"/app/manage.py {STARTED.get(word, word)} --verbosity 2\n"


def test_nothing_unasked_goes_to_the_builder():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    asked = [line[1:] for line in lines if line.startswith("!")]
    assert lines[1] == "*"
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
    for source in " ".join(copied).split():
        assert any(path.startswith(source) or Path(source).match(path) for path in asked), source
    assert not any(path.startswith(("deploy/secrets", "var", ".git")) for path in asked)


def test_the_base_that_is_made_without_a_registry_is_of_the_same_release():
    assert base_name() == f"docker.io/library/python:3.11-slim-{RELEASE}"
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert set(stages) == {"${BASE}", "packages"}


# The compose file


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_do_more_than_it_must(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), "an ordinary user"
    assert "privileged" not in service
    assert "cap_add" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_of_a_release(name):
    assert re.fullmatch(
        r"\$\{GAMRAE_IMAGE:-gamrae:latest\}|\S+:v?\d+\.\S+", SERVICES[name]["image"]
    )


def test_our_containers_are_one_image_and_three_commands():
    assert {name: each["command"] for name, each in OURS.items()} == {
        name: name for name in STARTED
    }
    assert {each["user"] for each in OURS.values()} == {"10001:10001"}
    assert SERVICES["web"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_told_settings_that_exist_and_secrets_by_file_alone(name):
    told = OURS[name]["environment"]
    assert {setting.removesuffix("_FILE") for setting in told} <= SETTINGS
    for setting in ("SECRET_KEY", "DATABASE_URL", "BROKER_URL", "MONGO_URL", "REDIS_URL"):
        assert told[f"{setting}_FILE"] == f"/run/secrets/{setting.lower()}"
    assert {Path(value).name for key, value in told.items() if key.endswith("_FILE")} == set(
        OURS[name]["secrets"]
    )


def test_nothing_starts_before_what_it_needs():
    healthy, done = (
        {"condition": "service_healthy"},
        {"condition": "service_completed_successfully"},
    )
    stores = {"mysql": healthy, "rabbitmq": healthy, "redis": healthy, "mongo-init": done}
    assert SERVICES["migrate"]["depends_on"] == stores
    for name in ("web", "archiver"):
        assert SERVICES[name]["depends_on"] == {**stores, "migrate": done}
    assert SERVICES["proxy"]["depends_on"] == {"web": healthy}
    checked = {name for name, each in SERVICES.items() if "test" in each.get("healthcheck", {})}
    assert checked == SERVICES.keys() - OURS.keys() - {"mongo-init"}


def test_the_stores_are_reached_from_inside_alone():
    assert COMPOSE["networks"]["data"]["internal"] is True
    for name in ("mysql", "rabbitmq", "mongo", "mongo-init", "redis", "archiver", "migrate"):
        assert SERVICES[name]["networks"] == ["data"]
        assert "ports" not in SERVICES[name]


def test_the_web_processes_believe_the_proxy_and_nobody_else():
    address = SERVICES["proxy"]["networks"]["edge"]["ipv4_address"]
    assert SERVICES["web"]["environment"]["TRUSTED_PROXIES"] == address


def test_the_example_sets_every_variable_and_no_secret():
    used = set(re.findall(r"\$\{([A-Z_]+)[:}]", (ROOT / "deploy/compose.yaml").read_text()))
    example = (ROOT / "deploy/env.example").read_text()
    assert set(re.findall(r"^([A-Z_]+)=", example, re.M)) == used
    assert "://" not in re.sub(r"^PUBLIC_URL=.*$", "", example, flags=re.M)


# The secrets


def test_the_secrets_are_those_that_the_services_ask_for(tmp_path):
    write(tmp_path / "secrets", "chat.example.org")
    made = {path.name for path in (tmp_path / "secrets").iterdir()}
    assert made - {"ca.pem"} == COMPOSE["secrets"].keys()
    assert [path.name for path in tmp_path.iterdir()] == ["secrets"]


def test_the_folder_keeps_strangers_out_because_its_files_do_not(tmp_path):
    write(tmp_path / "secrets", "localhost")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o444}


def test_both_sides_of_a_service_are_told_the_same_password():
    made = secret_files()
    assert f":{made['mysql_password']}@" in made["database_url"]
    assert f":{made['mongo_password']}@" in made["mongo_url"]
    assert f":{made['rabbitmq_conf'].split()[-1]}@" in made["broker_url"]
    assert f":{made['redis_conf'].split()[-1]}@" in made["redis_url"]
    assert secret_files()["secret_key"] != made["secret_key"]


@pytest.mark.parametrize("host", ["chat.example.org", "192.0.2.7"])
def test_the_certificate_is_one_that_a_server_can_use_and_a_browser_be_told_to_believe(
    tmp_path, host
):
    write(tmp_path / "secrets", host)
    server, browser = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    server.load_cert_chain(tmp_path / "secrets/tls_cert", tmp_path / "secrets/tls_key")
    browser.load_verify_locations(tmp_path / "secrets/ca.pem")
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = browser.wrap_bio(here, there, server_hostname=host)
    answering = server.wrap_bio(there, here, server_side=True)
    for side in (asking, answering, asking):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert asking.version() == "TLSv1.3"


def test_secrets_that_are_there_are_left_alone(tmp_path):
    (tmp_path / "secret_key").write_text("of a database that exists")
    ran = subprocess.run(
        [sys.executable, "-m", "deploy.secret_files"],
        cwd=ROOT,
        env={"GAMRAE_SECRETS": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "stays as it is" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
