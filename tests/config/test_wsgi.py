"""The web process, as gunicorn imports it."""

import pytest
import requests

from config.wsgi import application
from tests.wsgi_adapter import WSGIAdapter


@pytest.mark.django_db
def test_the_web_process_answers():
    with requests.Session() as session:
        session.mount("http://", WSGIAdapter(application))
        answer = session.get("http://testserver/admin/login/", headers={"Accept-Encoding": "identity"})
    assert (answer.status_code, "csrfmiddlewaretoken" in answer.text) == (200, True)
