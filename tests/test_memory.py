"""A worker keeps no more memory than it uses, however many threads it has."""

from __future__ import annotations

import subprocess
import sys

import pytest

from connector import memory

THREADS = """
import ctypes, sys, threading
from connector import memory

if "share" in sys.argv:
    assert memory.share_arenas()
at_once = threading.Barrier(12)

def ask():
    at_once.wait()
    held = [bytes(2_000) for _ in range(500)]
    at_once.wait()
    return held

threads = [threading.Thread(target=ask) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""

IDLE = """
from threading import Thread
from connector import memory

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4_096

def litter():
    held = [bytearray(5_000) for _ in range(8_000)]
    kept.append(held[-1])  # lies above all that is let go of, which therefore stays

kept = []
thread = Thread(target=litter)
thread.start()
thread.join()
before = resident()
memory.give_back()
print(before - resident())
"""

pytestmark = pytest.mark.skipif(memory._glibc() is None, reason="the C library is not glibc")


def run(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def test_the_threads_of_a_worker_share_two_arenas() -> None:
    assert run(THREADS).count("<heap nr") > memory.ARENAS  # otherwise this shows nothing
    assert run(THREADS, "share").count("<heap nr") <= memory.ARENAS


def test_what_lies_idle_is_given_back_to_the_system() -> None:
    assert int(run(IDLE)) > 20_000_000
