"""Holds the sandbox against Go's contract: `python tests/sandbox/contract.py poweroffice-go-v2.openapi.yaml`.

Starts the sandbox on a free port with a database of its own, gets a token, and lets schemathesis send bounded examples
to every resource that is served. The exit code says the verdict; about a minute or two on two cores.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
KEYS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222201")
SUBSCRIPTION = {"Ocp-Apim-Subscription-Key": "sandbox-subscription-key"}
CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance"
NOT_SERVED = (
    "^/(Onboarding|ClientAdmin|Vouchers|VoucherDocumentation|ContactDeliveryAddresses|ContactGroups|"
    "CustomDimensions|CustomDimensionSettings|CurrencyRates)(/|$)"
)
EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "6")
BIN = Path(sys.executable).parent


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(url: str) -> None:
    """Until the sandbox answers, half a minute at most."""
    for _ in range(150):
        try:
            requests.get(url, timeout=1)
        except requests.RequestException:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"The sandbox did not answer at {url}.")


def prepare(base: str) -> str:
    """Lift the limits that would hide answers, put a little of everything in the books, and return a token."""
    switches = {"rate_limit_per_second": 0, "url_length_limit": 0, "token_lifetime_seconds": 86_400}
    requests.put(f"{base}/_control/switches", json=switches, timeout=10).raise_for_status()
    grant = {"company": KEYS[1], "allow": True}
    requests.post(f"{base}/_control/acts/set_send_grant", json=grant, timeout=10).raise_for_status()
    for _ in range(3):
        order = {"company": KEYS[1], "customer_no": 10000, "product_code": "HYTTE", "quantity": 2}
        made = requests.post(f"{base}/_control/acts/create_order", json=order, timeout=10).json()
    sent = {"company": KEYS[1], "order_ids": made["order_ids"]}
    requests.post(f"{base}/_control/acts/send", json=sent, timeout=10).raise_for_status()
    form = {"grant_type": "client_credentials"}
    answer = requests.post(f"{base}/OAuth/Token", data=form, auth=KEYS, headers=SUBSCRIPTION, timeout=10)
    return str(answer.json()["access_token"])


def run(contract: Path, folder: Path) -> int:
    """Start, examine, stop."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings_sandbox",
        "SANDBOX_DATABASE_URL": f"sqlite:///{folder / 'sandbox.sqlite3'}",
    }
    manage = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(manage, check=True, env=environment, cwd=ROOT)
    port = free_port()
    serve = [str(BIN / "gunicorn"), "--threads", "8", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    server = subprocess.Popen([*serve, "integration.sandbox.wsgi:application"], env=environment, cwd=ROOT)
    try:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/_control/clock")
        token = prepare(base)
        examine = [str(BIN / "schemathesis"), "run", str(contract), "--url", f"{base}/v2", "--checks", CHECKS]
        examine += ["--header", f"Authorization: Bearer {token}", "--exclude-path-regex", NOT_SERVED]
        examine += ["--header", f"Ocp-Apim-Subscription-Key: {SUBSCRIPTION['Ocp-Apim-Subscription-Key']}"]
        examine += ["--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing", "--seed", "20260302"]
        examine += ["--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off", "--workers", "2"]
        return subprocess.run(examine, check=False, cwd=folder).returncode
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        sys.exit(run(Path(sys.argv[1]).resolve(), Path(place)))
