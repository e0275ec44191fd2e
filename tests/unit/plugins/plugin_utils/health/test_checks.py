# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking health checks: a real HTTP server on this machine, real processes, a clock that sleeping moves."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.run_rules import QuorumRule
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.health import checks
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.health.checks import ask_quorum, run_health_checks

from tests.fakes.fleet_port import FakeClock


@dataclass
class Shop:
    """Answers with ``replies`` one after the other, the last one for ever: (status, headers, body)."""

    url: str
    replies: list[tuple[int, dict[str, str], str]] = field(default_factory=lambda: [(200, {}, "")])
    seen: list[dict[str, Any]] = field(default_factory=list)
    drip: float = 0

    def health_check(self, path: str = "/health", **members: Any) -> dict[str, Any]:
        more = {key: members.pop(key) for key in ("attempts", "interval", "condition", "name") if key in members}
        return {"name": "shop", "http": {"url": self.url + path, **members}, **more}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Shop("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size).decode()
            found.seen.append({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body})
            status, headers, text = found.replies.pop(0) if len(found.replies) > 1 else found.replies[0]
            self.send_response(status)
            for name, value in {"Connection": "close", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            for char in text:
                self.wfile.write(char.encode())
                if found.drip:
                    self.wfile.flush()
                    time.sleep(found.drip)

        do_POST = do_GET

        def log_message(self, *args: Any) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()


def run(*definitions: dict[str, Any], clock: FakeClock | None = None) -> list[tuple[str, str]]:
    found = run_health_checks(list(definitions), clock=clock or FakeClock(), options={"accounts": []})
    return [(health_check.health.value, health_check.text) for health_check in found]


def command(*argv: str, **members: Any) -> dict[str, Any]:
    more = {key: members.pop(key) for key in ("attempts", "interval", "condition") if key in members}
    return {"name": "smoke", "command": {"argv": list(argv), **members}, **more}


def python(code: str, **members: Any) -> dict[str, Any]:
    return command(sys.executable, "-c", code, **members)


def test_an_endpoint_that_answers_well(shop: Shop) -> None:
    assert run(shop.health_check("/health?key=hidden")) == [("ok", f"GET {shop.url}/health answered 200")]
    assert shop.seen[0]["path"] == "/health?key=hidden"


def test_method_body_and_headers_are_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t-t0ken")
    shop.replies = [(201, {}, "")]
    headers = {"Authorization": "Bearer ${SHOP_TOKEN}", "Content-Type": "application/json"}
    assert (
        run(shop.health_check(method="POST", status=[200, 201], body='{"pin": "${SHOP_TOKEN}"}', headers=headers))[0][0]
        == "ok"
    )
    assert (shop.seen[0]["method"], shop.seen[0]["body"]) == ("POST", '{"pin": "s3cr3t-t0ken"}')
    assert shop.seen[0]["headers"]["Authorization"] == "Bearer s3cr3t-t0ken"


def test_a_wrong_status_failed_also_a_redirect_which_gets_no_secrets(shop: Shop) -> None:
    shop.replies = [(302, {"Location": f"{shop.url}/login"}, "")]
    assert run(shop.health_check()) == [("failed", f"GET {shop.url}/health answered 302, not 200")]
    assert [row["path"] for row in shop.seen] == ["/health"]


@pytest.mark.parametrize(
    ("condition", "health"),
    [
        ("json.ready", "ok"),
        ("json.nodes[?state!='up'] == `[]`", "failed"),
        ("json.queue < `10` && headers.\"x-zone\" == 'a'", "ok"),
        ("contains(text, 'ready')", "ok"),
        ("status == `200`", "ok"),
        ("json.missing", "inconclusive"),
        ("json.nodes", "inconclusive"),
        ("length(json.missing) == `0`", "inconclusive"),
    ],
)
def test_conditions_are_asked_of_the_answer(shop: Shop, condition: str, health: str) -> None:
    body = {"ready": True, "queue": 3, "nodes": [{"state": "down"}]}
    shop.replies = [(200, {"Content-Type": "application/json", "X-Zone": "a"}, json.dumps(body))]
    assert run(shop.health_check(condition=condition))[0][0] == health


def test_nobody_there_is_inconclusive(shop: Shop) -> None:
    gone = {"name": "gone", "http": {"url": "http://127.0.0.1:9/", "timeout": 2}}
    (found,) = run(gone)
    assert found[0] == "inconclusive" and "refused" in found[1]


@pytest.mark.parametrize("body", ["x" * 100, ""])
def test_an_answer_without_end_or_cut_off_is_inconclusive(shop: Shop, body: str) -> None:
    shop.drip = 0.05
    shop.replies = [(200, {"Content-Length": "1000"}, body)]
    start = time.monotonic()
    (found,) = run(shop.health_check(timeout=0.4))
    assert found[0] == "inconclusive" and time.monotonic() - start < 3


def test_a_chunked_answer_and_that_of_an_error_are_read(shop: Shop) -> None:
    shop.replies = [(200, {"Transfer-Encoding": "chunked"}, '4\r\n{"a"\r\n7\r\n: true}\r\n0\r\n\r\n')]
    assert run(shop.health_check(condition="json.a"))[0][0] == "ok"
    shop.replies = [(404, {"Content-Length": "4"}, "gone")]
    assert run(shop.health_check(status=[404], condition="text == 'gone'"))[0][0] == "ok"


def test_an_answer_that_can_not_be_read_is_inconclusive(shop: Shop) -> None:
    for headers in ({"Content-Encoding": "gzip"}, {"Transfer-Encoding": "chunked"}):
        shop.replies = [(200, headers, "neither of them")]
        assert run(shop.health_check())[0][0] == "inconclusive"


def test_what_the_endpoint_echoes_shows_no_secret(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cr3t-t0ken")
    shop.replies = [(200, {}, "s3cr3t-t0ken")]
    lines: list[str] = []
    health_check = shop.health_check(
        headers={"X-Key": "${SHOP_TOKEN}"}, condition="json.a", name="echo s3cr3t", attempts=2
    )
    found = run_health_checks([health_check], clock=FakeClock(), options={}, say=lines.append)
    said = "\n".join([*lines, *(str(item.to_dict()) for item in found), repr(found)])
    assert lines and "s3cr3t-t0ken" not in said


@pytest.mark.parametrize(("value", "said"), [(None, "environment variable"), ("a\nsecret-b", "more than one line")])
def test_a_header_that_can_not_be_sent_is_inconclusive(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, value: str | None, said: str
) -> None:
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    if value:
        monkeypatch.setenv("SHOP_TOKEN", value)
    (found,) = run(shop.health_check(headers={"X-Key": "${SHOP_TOKEN}"}))
    assert found[0] == "inconclusive" and said in found[1] and "secret-b" not in found[1]
    assert not shop.seen


def test_attempts_come_at_their_interval_and_stop_when_it_is_well(shop: Shop) -> None:
    shop.replies = [(503, {}, ""), (503, {}, ""), (200, {}, "")]
    clock = FakeClock()
    assert run(shop.health_check(attempts=5, interval=45), clock=clock)[0][0] == "ok"
    assert len(shop.seen) == 3 and sum(clock.slept) == 90
    assert max(clock.slept) <= 30  # the operator sees a line


def test_the_last_of_the_attempts_counts(shop: Shop) -> None:
    shop.replies = [(200, {}, "{}"), (500, {}, "")]
    clock = FakeClock()
    assert run(shop.health_check(attempts=2, condition="json.a"), clock=clock)[0][0] == "failed"
    assert (len(shop.seen), clock.slept) == (2, [10])


def test_several_probes_wait_together_and_keep_their_order(shop: Shop) -> None:
    clock = FakeClock()
    slow = shop.health_check(name="slow", status=[204], attempts=3, interval=20)
    quick = shop.health_check(name="quick", status=[204], attempts=2, interval=15)
    found = run_health_checks([slow, quick], clock=clock, options={})
    assert [(item.name, item.health.value) for item in found] == [("slow", "failed"), ("quick", "failed")]
    assert sum(clock.slept) == 40 and len(shop.seen) == 5


def test_commands(tmp_path: Any) -> None:
    assert run(python("print('{\"left\": 0}')", condition="json.left == `0`"))[0][0] == "ok"
    health, text = run(python("import sys; print('out'); sys.exit('no \\x1b[31mdatabase')"))[0]
    assert (health, text) == ("failed", f"{sys.executable} ended with exit status 1: no [31mdatabase")
    assert run(command(str(tmp_path / "gone")))[0] == (
        "inconclusive",
        f"{tmp_path}/gone: it can't be started: No such file or directory",
    )
    assert run(command(str(tmp_path)))[0][0] == "inconclusive"
    assert "signal 9" in run(python("import os; os.kill(os.getpid(), 9)"))[0][1]


def test_no_shell_reads_the_arguments_and_nobody_waits_for_input(tmp_path: Any) -> None:
    assert run(python("import sys; sys.exit(1 if sys.argv[1:] or sys.stdin.read() else 0)"))[0][0] == "ok"
    health_check = command(sys.executable, "-c", "import sys; print(sys.argv[1])", f"$(touch {tmp_path}/x)")
    assert run(health_check)[0][0] == "ok" and not (tmp_path / "x").exists()


def test_a_command_that_hangs_ends_with_all_it_started(tmp_path: Any) -> None:
    code = f"import subprocess, time; subprocess.Popen(['sh', '-c', 'sleep 1; touch {tmp_path}/late']); time.sleep(60)"
    start = time.monotonic()
    assert "did not end within 0.5 seconds" in run(python(code, timeout=0.5))[0][1]
    assert time.monotonic() - start < 5
    time.sleep(1.2)
    assert not (tmp_path / "late").exists()


def test_an_endless_output_is_read_only_so_far() -> None:
    found = checks.ask_command(checks.CommandCheck(argv=(sys.executable, "-c", "print('x' * 3000000)"), timeout=30))
    assert found.document and len(found.document["stdout"]) == checks.MAX_BYTES


def test_a_mistake_is_found_before_anything_is_asked(shop: Shop) -> None:
    for wrong in ({"name": "x"}, shop.health_check(name="other", condition="json.[")):
        with pytest.raises(BadInput):
            run(shop.health_check(), wrong)
    assert not shop.seen


def test_a_quorum_is_asked_for_the_clusters_of_its_rule(shop: Shop) -> None:
    shop.replies = [(503, {}, "")]
    bad, good = shop.health_check(name="etcd"), python("pass")
    rules = [QuorumRule(clusters=("etcd-a", "gone"), health_check=bad), QuorumRule(health_check=good)]
    found = ask_quorum(rules, ["etcd-a", "web"], clock=FakeClock(), options={})
    assert found == {"etcd-a": f"no quorum in etcd-a: etcd is failed: GET {shop.url}/health answered 503, not 200"}
    everywhere = ask_quorum([QuorumRule(health_check=bad)], ["a", "b"], clock=FakeClock(), options={})
    assert sorted(everywhere) == ["a", "b"]


def test_rules_for_other_clusters_are_not_asked_but_checked(shop: Shop) -> None:
    rules = [QuorumRule(clusters=("a",), health_check=shop.health_check())]
    assert ask_quorum(rules, ["b"], clock=FakeClock(), options={}) == {} and not shop.seen
    with pytest.raises(BadInput) as caught:
        ask_quorum([QuorumRule(clusters=("a",), health_check={"name": "x"})], ["b"], clock=FakeClock(), options={})
    assert caught.value.option == "budgets.quorum[0].health_check"
