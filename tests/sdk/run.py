"""Runs every test of the SDKs for every upstream and prints one line for each.

    python run.py BASE_URL [FILTER]

A line is `pass NAME` or `fail NAME`; the traceback of a failure follows, indented. What a test may use is in `cases.py`.
"""

import importlib
import sys
import threading
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

from cases import UPSTREAMS

MODULES = ["openai_chat", "openai_responses", "anthropic_messages", "google_gemini", "environment"]
# The interpreter runs one thread at a time; a few of them hide the waiting.
THREADS = 4

OUTPUT = threading.Lock()


def run(name, test, base, upstream):
    try:
        test(base, upstream)
    except BaseException:
        lines = traceback.format_exc().strip().splitlines()
        with OUTPUT:
            print(f"fail {name}")
            print("\n".join(f"    {line}" for line in lines), flush=True)
        return
    with OUTPUT:
        print(f"pass {name}", flush=True)


def main():
    warnings.simplefilter("ignore")
    base, wanted = sys.argv[1], (sys.argv[2:] or [""])[0]
    with ThreadPoolExecutor(THREADS) as pool:
        for module_name in MODULES:
            module = importlib.import_module(module_name)
            for function, test in vars(module).items():
                for upstream in UPSTREAMS:
                    name = f"{module_name}::{function}::{upstream}"
                    if function.startswith("test_") and wanted in name:
                        pool.submit(run, name, test, base, upstream)


if __name__ == "__main__":
    main()
