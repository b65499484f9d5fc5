#!/usr/bin/env python3
"""Breaks byok in the way that each trap tells of, and sees that the trap's test fails.

    python3 crates/translate/tests/traps/mutate.py [t01 t02 …] > crates/translate/TRAPS.md

All mutants of mutants.txt are built into one scratch copy of the workspace, each behind a switch, so there is one build; then
the test of each trap runs with its own mutant on. Prints TRAPS.md; ends with 1 if a test passes although its trap is sprung.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
SCRATCH = TARGET / "traps"
SWITCH = """
/// Whether this mutant is on.
pub(crate) fn broken(mutant: &str) -> bool {
    std::env::var_os("BYOK_BROKEN").is_some_and(|on| on == mutant)
}
"""


def mutants():
    """Yields (trap, file, what, [(file, old, new)])."""
    found = []
    for line in (HERE / "mutants.txt").read_text().splitlines():
        if line.startswith("== "):
            trap, file, what = (field.strip() for field in line[3:].split("|"))
            found.append((trap, file, what, []))
        elif line.startswith("@ "):
            file = line[2:].strip()
        elif line.startswith("- "):
            pieces = found[-1][3]
            if not pieces or pieces[-1][2] or pieces[-1][0] != file:
                pieces.append((file, [], []))
            pieces[-1][1].append(line[2:].strip())
        elif line.startswith("+ "):
            found[-1][3][-1][2].append(line[2:].strip())
    return found


def copy():
    """Brings the scratch copy to the state of the tree, leaving alone what is the same."""
    files = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    for name in filter(None, files):
        source, target = ROOT / name, SCRATCH / name
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def plant(found):
    source = SCRATCH / "crates/translate/src"
    texts = {}
    for trap, _, _, pieces in found:
        for file, old, new in pieces:
            text = texts.get(file) or (source / file).read_text()
            # White space is free between lines, and what an earlier mutant put before a line may stand between.
            pattern = r"\s*".join(re.escape(line) for line in old)
            places = re.findall(pattern, text)
            if len(places) != 1:
                sys.exit(f"{trap}: {len(places)} places in {file} for: {old[0]}")
            text = re.sub(pattern, lambda _: "\n".join(new).replace("BROKEN", f'crate::broken("{trap}")'), text)
            texts[file] = text
    for file, text in texts.items():
        (source / file).write_text(text)
    with (source / "lib.rs").open("a") as lib:
        lib.write(SWITCH)


def build():
    environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET)}
    command = ["cargo", "test", "-q", "-p", "byok-translate", "--test", "traps", "--no-run", "--message-format=json"]
    done = subprocess.run(command, cwd=SCRATCH, env=environment, text=True, stdout=subprocess.PIPE)
    if done.returncode:
        rendered = re.findall(r'"rendered":"(error.*?)","', done.stdout)
        sys.exit("\n".join(error.encode().decode("unicode_escape") for error in rendered[:12]) or "the build failed")
    return re.findall(r'"executable":"([^"]+)"', done.stdout)[-1]


def run(binary, test, mutant):
    environment = {**os.environ, "BYOK_BROKEN": mutant, "RUST_BACKTRACE": "0"}
    command = [binary, "--test-threads=2", *test]
    return subprocess.run(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def said(output):
    """The assertion that failed, short."""
    text = output.split("panicked at ", 1)[-1].split("note: run with")[0]
    lines = [line.strip() for line in text.splitlines()[1:] if line.strip()]
    sides = [line for line in lines if line.startswith(("left: ", "right: "))]
    short = [line if len(line) <= 110 else line[:107] + "…" for line in (sides[-2:] or lines[:1])]
    return "<br>".join("`" + line.replace("`", "'").replace("|", "\\|") + "`" for line in short)


def main():
    wanted = sys.argv[1:]
    found = mutants()
    copy()
    plant(found)
    binary = build()
    clean = run(binary, [], "")
    if clean.returncode:
        sys.exit("tests fail without any mutant:\n" + clean.stdout[-3000:])
    names = [line.split(": ")[0] for line in run(binary, ["--list"], "").stdout.splitlines() if ": test" in line]
    rows, survivors = {}, []
    for trap, file, what, _ in found:
        if wanted and trap not in wanted:
            continue
        test = next((name for name in names if name.split("::")[-1].startswith(trap + "_")), None)
        if test is None:
            sys.exit(f"{trap} has no test")
        done = run(binary, ["--exact", test], trap)
        if done.returncode == 0:
            survivors.append(trap)
        failing = said(done.stdout) if done.returncode else "**passes**"
        rows[trap] = f"| {trap.upper()} | `{test}` | {file}: {what} | {failing} |"
    head = (HERE / "head.md").read_text()
    elsewhere = (HERE / "elsewhere.md").read_text()
    table = "\n".join(rows.values())
    print(head.rstrip(), table, "", elsewhere.rstrip(), sep="\n")
    without = sorted({name.split("::")[-1].split("_")[0] for name in names} - {trap for trap, *_ in found})
    if without and not wanted:
        print("not yet mutated:", *without, file=sys.stderr)
    if survivors:
        sys.exit("passes although the trap is sprung: " + " ".join(survivors))


main()
