"""What stands in `deploy/`, as far as it must fit what the house itself says."""

import re
from pathlib import Path

from integration.decisions.spreadsheet_files import MAX_BYTES

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def test_the_proxy_lets_the_largest_spreadsheet_through():
    """With the form around it; otherwise nginx says something that no bookkeeper understands."""
    [megabytes] = re.findall(r"client_max_body_size (\d+)m;", (DEPLOY / "nginx.conf").read_text())

    assert int(megabytes) == MAX_BYTES // 1024 // 1024 + 1
