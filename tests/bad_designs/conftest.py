"""The table at the end: each bad design, and what caught it."""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    caught, tried = 0, 0
    terminalreporter.section("bad designs")
    for report in [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]:
        name = report.nodeid.partition("test_is_caught[")[2].removesuffix("]")
        if not name:
            continue
        tests = dict(report.user_properties).get("caught", ())
        tried += 1
        caught += bool(tests)
        terminalreporter.write_line(f"{name}: {'caught by' if tests else 'NOT CAUGHT'}")
        for test in tests:
            terminalreporter.write_line(f"    {test}")
    terminalreporter.write_line(f"{caught} of {tried} bad designs are caught.")
