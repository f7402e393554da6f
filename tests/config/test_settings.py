"""The settings: that the papers name every one of them, and that no process starts without its secrets."""

import ast
import os
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("SECRET_KEY", "FIELD_KEYS", "GO_APPLICATION_KEY", "GO_SUBSCRIPTION_KEY")
GIVEN = {
    "ENVIRONMENT": "production",
    "ALLOWED_HOSTS": "fakturabro.example",
    **dict.fromkeys(SECRETS, "given-in-the-test"),
}


def calls(path: Path) -> Iterator[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def variables_read() -> dict[str, str | None]:
    """Name -> default, where it is a plain value, of each `env.str("NAME", ...)` and the like in config/."""
    found: dict[str, str | None] = {}
    for path in (ROOT / "config").rglob("*.py"):
        for call in calls(path):
            asked = ast.unparse(call.func)
            if (asked.startswith("env.") or asked in {"secret", "chosen_port"}) and isinstance(
                call.args[0], ast.Constant
            ):
                defaults = [*call.args[1:], *(each.value for each in call.keywords if each.arg == "default")]
                plain = [each.value for each in defaults if isinstance(each, ast.Constant)]
                found[str(call.args[0].value)] = str(plain[0]) if plain else None
    return found


def named_in_example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = [(match[1], match[2]) for line in lines if (match := re.match(r"#([A-Z_]+)=(.*)", line))]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_variables_are_read():
    read = variables_read()

    assert [read[name] for name in ("ENVIRONMENT", "SECRET_KEY", "PORT", "BEHIND_PROXY")] == [
        "development",
        None,
        "8000",
        "False",
    ]


def test_example_names_every_variable_once():
    assert sorted(named_in_example()) == sorted(variables_read())


def test_example_says_the_true_defaults():
    true = {name: default for name, default in variables_read().items() if default is not None}

    assert {name: named_in_example()[name].lower() for name in true} == {
        name: default.lower() for name, default in true.items()
    }


def test_example_explains_every_variable():
    paragraphs = (ROOT / ".env.example").read_text(encoding="utf-8").strip().split("\n\n")

    assert [paragraph for paragraph in paragraphs if not paragraph.startswith("# ")] == []


def named_in_readme() -> dict[str, str]:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    pairs = [(match[1], match[2]) for line in lines if (match := re.match(r"\| `([A-Z_]+)` \| `?(.*?)`? \|", line))]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_readme_table_names_every_variable_once():
    assert sorted(named_in_readme()) == sorted(variables_read())


def test_readme_table_says_the_true_defaults():
    true = {name: default for name, default in variables_read().items() if default}

    assert {name: named_in_readme()[name].lower() for name in true} == {
        name: default.lower() for name, default in true.items()
    }


def test_environment_is_read_in_config_only():
    """Anywhere else, a variable would be missing from the papers."""
    outside = [path for room in ("accounts", "integration", "vault") for path in (ROOT / room).rglob("*.py")]
    asked = [
        f"{path.relative_to(ROOT)}: {ast.unparse(call)}"
        for path in outside
        for call in calls(path)
        if ast.unparse(call.func) in {"os.getenv", "os.environ.get", "environ.Env"}
    ]

    assert asked == []


def started(settings: str, environment: dict[str, str]) -> dict[str, Any]:
    """The settings as a process with this environment would read them; a variable wins over a `.env` in the folder."""
    with patch.dict(os.environ, environment):
        return runpy.run_path(str(ROOT / "config" / settings))


def refusal(settings: str, environment: dict[str, str]) -> str:
    """Why such a process does not start, in its own words."""
    with pytest.raises(ImproperlyConfigured) as refused:
        started(settings, environment)
    return str(refused.value)


def test_production_starts_with_all_secrets():
    settings = started("settings.py", GIVEN)

    assert {name: settings[name] for name in SECRETS} == {
        **dict.fromkeys(SECRETS, "given-in-the-test"),
        "FIELD_KEYS": ["given-in-the-test"],
    }


@pytest.mark.parametrize("missing", SECRETS)
def test_production_does_not_start_without_secret(missing):
    assert refusal("settings.py", {**GIVEN, missing: ""}) == (
        f"{missing} is not set: production needs a value of its own. .env.example says how to make one."
    )


def test_production_does_not_start_with_a_published_secret():
    assert refusal("settings.py", {**GIVEN, "GO_SUBSCRIPTION_KEY": "sandbox-subscription-key"}) == (
        "GO_SUBSCRIPTION_KEY is not set: production needs a value of its own. .env.example says how to make one."
    )


@pytest.mark.parametrize("given", [{}, {"CLAIM_LEASE_SECONDS": "25.1"}])
def test_a_claim_lasts_longer_than_any_call(given):
    settings = started("settings.py", given)
    assert settings["CLAIM_LEASE_SECONDS"] > settings["GO_CONNECT_TIMEOUT"] + settings["GO_READ_TIMEOUT"]


def test_a_claim_shorter_than_a_call_is_refused():
    assert refusal("settings.py", {"CLAIM_LEASE_SECONDS": "25"}) == (
        "CLAIM_LEASE_SECONDS is 25: a worker would be taken for dead while it waits for Go. "
        "It must be more than GO_CONNECT_TIMEOUT and GO_READ_TIMEOUT together."
    )


def test_unknown_environment_is_refused():
    assert refusal("settings.py", {"ENVIRONMENT": "staging"}) == (
        "ENVIRONMENT is 'staging': use development or production."
    )


def test_sandbox_refuses_production():
    assert refusal("settings_sandbox.py", GIVEN) == (
        "The sandbox plays PowerOffice Go with made-up money: it does not start in production."
    )
