"""What a watcher from outside is told, also during the outage it should tell of."""

import logging
from functools import partial

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from config import health
from config.celery import app

WELL = {"database": True, "broker": True, "migrations": True}


def test_alive_asks_nobody(client: Client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content, answer["Cache-Control"].split(",")[0]) == (200, b"alive\n", "max-age=0")
    assert client.post("/healthz").status_code == 405


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_watchers_of_the_machine_itself_need_no_tls(client: Client, settings, address):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(address).status_code == 200
    assert client.get("/admin/").status_code == 301


@pytest.mark.django_db
def test_ready_while_everything_is_there(client: Client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, WELL)


@pytest.mark.django_db
def test_not_ready_while_a_migration_waits(client: Client):
    MigrationRecorder(connection).record_unapplied("integration", "0005_combined_unseen")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {**WELL, "migrations": False})


@pytest.mark.django_db
@pytest.mark.parametrize("broken", ["database", "broker"])
def test_the_answer_survives_the_outage_and_names_it_without_internals(client: Client, monkeypatch, caplog, broken):
    def gone() -> bool:
        raise OSError("10.0.0.7 refuses the password hunter2")

    monkeypatch.setitem(health.NEEDED, broken, gone)
    with caplog.at_level(logging.WARNING):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {**WELL, broken: False})
    assert f"Not ready: {broken}" in caplog.text


@pytest.mark.django_db
def test_not_ready_while_the_broker_is_away(client: Client, monkeypatch):
    dead = partial(app.connection, "redis://127.0.0.1:9/0")  # the settings themselves are shared with other tests
    monkeypatch.setattr(app, "connection_for_write", dead)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (503, False)
