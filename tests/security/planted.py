"""A little day with planted secrets, in a process of its own: `tests/security/test_secrets.py` starts it and looks.

Set-up, log-in with second factor, push, pull, an export, wrong passwords, two pages that break. What it leaves behind
is in the folder `left`; what it learned (secrets that are made on the way) it prints as JSON.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b32decode
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django
from django.conf import settings

django.setup()
# The tests have no collected files and no time for thirty slow hashes; everything else is as in production.
settings.DATABASES["default"]["PASSWORD"] = os.environ["PLANTED_DATABASE_PASSWORD"]  # SQLite asks for none
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

from django.core.management import call_command  # noqa: E402 - Django must be set up first
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_otp.oath import TOTP  # noqa: E402

from accounts import second_factor  # noqa: E402
from integration.models import AccessToken, AdminAction, GoCompany, InvoiceStatement, SyncAttempt  # noqa: E402
from integration.tasks import run_company_cycle  # noqa: E402
from tests import factories  # noqa: E402


def main(left: Path, password: str, client_keys: list[str], client_secret_tried: str) -> dict[str, Any]:
    """The day. Returns what became a secret on the way."""
    call_command("migrate", verbosity=0)
    companies = [factories.go_company(client_key=key) for key in client_keys]
    kari = factories.person(is_superuser=True, email="kari@example.no")
    kari.set_password(password)
    kari.save()
    seed = second_factor.begin(kari)
    codes = second_factor.finish(kari, code_of(seed), timezone.now())
    product = factories.product(companies[0], code="BANE", name="Baneleie, per time")
    customer = factories.customer(companies[0], number=None, name="Øystese Bygg og Anlegg AS")
    statement = factories.statement(
        companies[0], customer=customer, status="PROCESSING", lines=[{"product": product, "quantity": 2}]
    )

    # Push and pull for both companies; the message of the next cycle stays with the broker.
    for company in companies:
        run_company_cycle(company_id=company.pk)
    run_company_cycle.delay(company_id=companies[0].pk)
    statement.refresh_from_db()

    # In the browser: wrong first, then right, then pages that break.
    client = Client(raise_request_exception=False)
    visit: dict[str, Any] = {"secure": True, "HTTP_USER_AGENT": "Firefox"}
    pages = [client.post("/admin/login/", {"username": "kari@example.no", "password": "wrong"}, **visit)]
    # In the wrong box: shown again to whoever typed it, as every form does, and kept nowhere.
    client.post("/admin/login/", {"username": password, "password": codes[0]}, **visit)
    pages.append(client.post("/admin/login/", {"username": "kari@example.no", "password": password}, **visit))
    pages.append(client.post("/admin/my-log-in/code/", {"code": "ABCDE-FGHJK"}, **visit))
    pages.append(client.post("/admin/my-log-in/code/", {"code": codes[1]}, **visit))
    change = f"/admin/integration/gocompany/{companies[1].pk}/change/"
    pages += [client.get(path, **visit) for path in ("/admin/", change, "/admin/my-log-in/", "/admin/accounts/user/")]
    shown = len([page for page in pages if page.status_code == 200])
    form = {"name": "New name", "state": "ACTIVE", "order_state_on_arrival": "DRAFT", "payment_days": "14"}
    form["subscription_days_ahead"] = "30"
    form |= {"customer_data_owner": "SOURCE", "vanished_drafts": "ASK", "sharing": "OLDEST_FIRST"}
    form["new_client_key"] = client_secret_tried
    with patch.object(GoCompany, "set_client_key", side_effect=RuntimeError("a page that breaks")):
        pages.append(client.post(change, form, **visit))
    with patch("accounts.views.second_factor.is_set_up", side_effect=RuntimeError("another one")):
        pages.append(client.post("/admin/my-log-in/", {"password": password, "codes": "1"}, **visit))
    broken = [page.status_code for page in pages].count(500)
    export = {"format": "0", "resource": "0"}
    for name in ("customer", "invoicestatement", "product", "outgoinginvoice"):
        address = f"/admin/integration/{name}/export/"
        fields = re.findall(r'name="([^"]+)"', client.get(address, **visit).content.decode())
        pages.append(client.post(address, {**dict.fromkeys(fields, "on"), **export}, **visit))
    exports = len([page for page in pages if "attachment" in page.headers.get("Content-Disposition", "")])

    # A worker as it stands in the list of processes.
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "--app", "config", "worker", "--loglevel", "DEBUG", "--without-gossip"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    messages = list(settings.BROKER_DIR.rglob("*.json"))
    for message in messages:
        shutil.copy(message, left / f"message-{message.name}")
    assert worker.stdout is not None
    said = []
    for line in worker.stdout:
        said.append(line)
        if " ready." in line:
            break
    (left / "processes.txt").write_text(
        subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True).stdout
    )
    worker.terminate()
    said += list(worker.stdout)
    worker.wait()
    (left / "worker.log").write_text("".join(said))

    for number, page in enumerate(pages):
        (left / f"page-{number}.html").write_bytes(page.getvalue() + str(page.headers).encode())
    (left / "attempts.txt").write_text(
        repr([*SyncAttempt.objects.values(), *AdminAction.objects.values(), *InvoiceStatement.objects.values()])
    )
    call_command("dumpdata", output=str(left / "dump.json"), verbosity=0)
    database = Path(connection.settings_dict["NAME"])
    for part in database.parent.glob(f"{database.name}*"):  # with what is still in the write-ahead log
        shutil.copy(part, left / part.name)
    tokens = [row.token.reveal() for row in AccessToken.objects.all()]
    return {
        "seed": seed,
        "codes": codes,
        "tokens": tokens,
        "done": {
            "pushed": statement.status,
            "messages": len(messages),
            "shown": shown,
            "broken": broken,
            "exports": exports,
        },
    }


def code_of(key: str) -> str:
    totp = TOTP(b32decode(key))
    totp.time = timezone.now().timestamp()
    return f"{totp.token():06d}"


if __name__ == "__main__":
    given = json.load(sys.stdin)
    given["left"] = Path(given["left"])
    sys.stdout.write("\nRESULT " + json.dumps(main(**given)) + "\n")
