"""Runs everything CI runs, and sums up: per step its result, its time, its CPU time and what it really checked.

A step passes if its make target ends with status 0 and proves that it checked something: a pytest step by the tests in
its JUnit file, every other by a line ``ran: <number> <things>``. In CI (``CI`` is set) a skipped test is a failure.
Arguments name the steps to run instead of all.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Timer
from xml.etree import ElementTree

from running import BUILD, ROOT

#: Fast and first: what they find, nobody wants to wait for.
FIRST = ("test-unit", "test-checks")
#: Two lanes keep two cores busy. The first begins with what needs real hosts, one after the other, which uses half a
#: core; beside it runs what has workers enough for the rest. Then both take the next step that nobody has taken: what
#: uses one core by itself comes last, the longest first, so that neither lane ends much later than the other.
REAL_HOSTS = ("test-hosts", "molecule")
OTHERS = (
    "test-playbooks",
    "test-integration",
    "test-contract",
    "test-kill-short",
    "test-lab",
    "test-inventory",
    "sanity",
    "matrix-short",
    "lint",
    "environment",
    "docs",
    "types",
)
LIMIT_SECONDS = 25 * 60
TAIL_LINES = 80
_RUNNING: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True)
class Outcome:
    """What one step came to; a step without tests of its own counts as one."""

    step: str
    seconds: float
    #: CPU time of all its processes, except of what it leaves running, which nobody waits for.
    cpu: float
    problem: str
    passed: int
    failed: int
    detail: str


def main(steps: tuple[str, ...]) -> int:
    started = time.monotonic()
    outcomes = list(map(_run_step, steps or FIRST))
    if not steps:
        outcomes += _run_lanes(REAL_HOSTS, OTHERS)
    print(f"\n{'step':18}{'result':9}{'seconds':>8}{'CPU':>8}   checked")
    for item in outcomes:
        result = "FAILED" if item.problem else "passed"
        print(f"{item.step:18}{result:9}{item.seconds:8.1f}{item.cpu:8.1f}   {item.detail}")
    total = time.monotonic() - started
    passed, failed = sum(item.passed for item in outcomes), sum(item.failed for item in outcomes)
    print(f"{'':18}{'':9}{total:8.1f}{sum(item.cpu for item in outcomes):8.1f}")
    for item in outcomes:
        if item.problem:
            print(f"{item.step}: {item.problem}; its output is in {_log(item.step).relative_to(ROOT)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _run_lanes(first: Sequence[str], others: Sequence[str]) -> list[Outcome]:
    """Run all steps in two lanes: ``first`` in order in one of them, each of ``others`` in the lane that is free."""
    queue = iter(others)  # a tuple's iterator gives each step to one lane

    def lane(own: Sequence[str]) -> list[Outcome]:
        return [_run_step(step) for step in chain(own, queue)]

    with ThreadPoolExecutor(2) as pool:
        try:
            return [item for outcomes in pool.map(lane, (first, ())) for item in outcomes]
        except KeyboardInterrupt:
            for process in _RUNNING:
                os.killpg(process.pid, signal.SIGTERM)
            os._exit(128 + signal.SIGINT)  # the lanes would go on with their next steps


def _run_step(step: str) -> Outcome:
    print(f"{step} …", flush=True)
    results = BUILD / "report" / f"{step.removeprefix('test-')}.xml"
    results.unlink(missing_ok=True)
    log = _log(step)
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with log.open("w") as stream:
        status, cpu = _make(step, stream.fileno())
    seconds = time.monotonic() - started
    output = log.read_text(errors="replace")
    outcome = _judge(step, (seconds, cpu), status, output, results)
    if outcome.problem:
        print("\n".join([f"---- {step}: {outcome.problem}", *output.splitlines()[-TAIL_LINES:], "----"]), flush=True)
    return outcome


def _log(step: str) -> Path:
    return BUILD / "log" / f"{step}.log"


def _make(step: str, output: int) -> tuple[str, float]:
    """Run the target in a process group of its own, the kill sweep in its short form; return what went wrong, and CPU.

    Lanes must not set up beside one another; who runs this has done it.
    """
    process = subprocess.Popen(
        ["make", "-C", str(ROOT), "--no-print-directory", "--old-file=setup", step],
        env={"PATCHTIDE_KILL": "short", **os.environ},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    _RUNNING.add(process)
    too_late = Timer(LIMIT_SECONDS, os.killpg, (process.pid, signal.SIGTERM))
    too_late.start()
    _pid, status, usage = os.wait4(process.pid, 0)
    _RUNNING.remove(process)
    cpu = usage.ru_utime + usage.ru_stime
    if too_late.finished.is_set():
        return f"not done after {LIMIT_SECONDS // 60} minutes", cpu
    too_late.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return f"status {process.returncode}" if status else "", cpu


def _judge(step: str, spent: tuple[float, float], status: str, output: str, results: Path) -> Outcome:
    if step.startswith("test-"):
        return _judge_tests(step, spent, status, results)
    proofs = re.findall(r"^ran: ([1-9]\d* .+)$", output, re.M)
    problem = status or ("" if proofs else "it does not say what it checked")
    return Outcome(step, *spent, problem, 0 if problem else 1, 1 if problem else 0, ", ".join(proofs))


def _judge_tests(step: str, spent: tuple[float, float], status: str, results: Path) -> Outcome:
    if not results.exists():
        return Outcome(step, *spent, status or "no test results", 0, 1, "")
    suites = ElementTree.parse(results).getroot().iter("testsuite")
    numbers = [{key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")} for suite in suites]
    tests, skipped = (sum(row[key] for row in numbers) for key in ("tests", "skipped"))
    bad = sum(row["failures"] + row["errors"] for row in numbers) + (skipped if os.environ.get("CI") else 0)
    passed = max(tests - skipped - sum(row["failures"] + row["errors"] for row in numbers), 0)
    problem = status or ("" if passed else "no test ran") or (f"{skipped} tests skipped in CI" if bad else "")
    detail = f"{passed} tests" + (f", {skipped} skipped" if skipped else "")
    return Outcome(step, *spent, problem, passed, max(bad, 1) if problem else 0, detail)


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
