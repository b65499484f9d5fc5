#!/usr/bin/env python3
"""Breaks byok in the way that each trap tells of, and sees that the trap's test fails.

    python3 crates/translate/tests/traps/mutate.py            all traps; writes the table of TRAPS.md anew
    python3 crates/translate/tests/traps/mutate.py t01 t23    only these; prints their rows
    python3 crates/translate/tests/traps/mutate.py --quick    only the suite `traps`; the other rows say that they were not run

All mutants of mutants.txt are built into one scratch copy of the workspace (below the target directory), each behind a switch, so
there is one build; then the test of each trap runs with its own mutant on. Ends with 1 if a test passes although its trap is sprung.
"""

import json
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
# Names the mutant that is on. A file, because the tests start servers in a clean environment.
SWITCH = SCRATCH / "broken"
TABLE = ROOT / "crates/translate/TRAPS.md"
SUITES = {
    "traps": ["-p", "byok-translate", "--test", "traps"],
    "transport": ["-p", "byok-transport", "--lib"],
    "provider": ["-p", "byok-provider", "--lib"],
    "e2e": ["-p", "byok", "--test", "e2e"],
}
SWITCHED = """
/// Whether this mutant is on.
pub(crate) fn broken(mutant: &str) -> bool {
    static ON: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    ON.get_or_init(|| std::fs::read_to_string(env!("BYOK_BROKEN")).unwrap_or_default()) == mutant
}
"""


class Mutant:
    def __init__(self, head):
        name, file, self.what = (field.strip() for field in head.split("|"))
        self.trap, *suite = name.split()
        self.suite = suite[0] if suite else "traps"
        self.pieces = []
        self.at(file)

    def at(self, file):
        self.file = file if file.startswith("crates/") else f"crates/translate/src/{file}"

    def line(self, sign, text):
        if sign == "-" and (not self.pieces or self.pieces[-1][2] or self.pieces[-1][0] != self.file):
            self.pieces.append((self.file, [], []))
        self.pieces[-1][1 if sign == "-" else 2].append(text)


def mutants():
    found = []
    for line in (HERE / "mutants.txt").read_text().splitlines():
        sign, _, text = line.partition(" ")
        if sign == "==":
            found.append(Mutant(text))
        elif sign == "@":
            found[-1].at(text.strip())
        elif sign in ("-", "+"):
            found[-1].line(sign, text.strip())
    return found


def copy():
    """Brings the scratch copy to the state of the tree."""
    for name in subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0"):
        source, target = ROOT / name, SCRATCH / name
        if name and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def plant(found):
    """Writes the mutants into the copy; notes the function in which each begins."""
    texts = {}
    for mutant in found:
        for file, old, new in mutant.pieces:
            text = texts.get(file) or (SCRATCH / file).read_text()
            pattern = r"\s*".join(re.escape(line) for line in old)
            places = list(re.finditer(pattern, text))
            if len(places) != 1:
                sys.exit(f"{mutant.trap}: {len(places)} places in {file} for: {old[0]}")
            place = places[0]
            function = re.findall(r"\bfn (\w+)", text[: place.end()])[-1]
            mutant.place = getattr(mutant, "place", f"{file.removeprefix('crates/translate/src/')} `{function}`")
            lines = "\n".join(new).replace("BROKEN", f'crate::broken("{mutant.trap}")')
            texts[file] = text[: place.start()] + lines + text[place.end() :]
    for file, text in texts.items():
        (SCRATCH / file).write_text(text)
    for crate in {"/".join(file.split("/")[:2]) for file in texts}:
        with (SCRATCH / crate / "src/lib.rs").open("a") as lib:
            lib.write(SWITCHED)


def build(suite):
    """Builds a suite; returns its binary, the names of its tests, and where it runs."""
    # A build directory of its own: in that of the tree Cargo would take what is built here for what the tree says.
    environment = {**os.environ, "CARGO_TARGET_DIR": str(SCRATCH / "target"), "BYOK_BROKEN": str(SWITCH)}
    command = ["cargo", "test", "-q", *SUITES[suite], "--no-run", "--message-format=json"]
    done = subprocess.run(command, cwd=SCRATCH, env=environment, text=True, stdout=subprocess.PIPE)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode:
        rendered = [message["message"]["rendered"] for message in messages if message.get("message", {}).get("level") == "error"]
        sys.exit("\n".join(rendered) or "the build failed")
    made = [message for message in messages if message.get("executable") and message["profile"]["test"]][-1]
    folder = pathlib.Path(made["manifest_path"]).parent
    listed = subprocess.check_output([made["executable"], "--list"], cwd=folder, text=True)
    return made["executable"], re.findall(r"^(\S+): test$", listed, re.M), folder


def run(suite, tests, mutant):
    binary, _, folder = suite
    SWITCH.write_text(mutant)
    environment = {**os.environ, "RUST_BACKTRACE": "0"}
    command = [binary, "--exact", *tests]
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def said(output):
    """The assertion that failed, short."""
    text = output.split("panicked at ", 1)[-1].split("note: run with")[0]
    lines = [line.strip() for line in text.splitlines()[1:] if line.strip()]
    sides = [line for line in lines if line.startswith(("left: ", "right: "))]
    short = [line if len(line) <= 110 else line[:107] + "…" for line in (sides[-2:] or lines[:1])]
    return "<br>".join("`" + line.replace("`", "'").replace("|", "\\|") + "`" for line in short)


def main():
    quick = sys.argv[1:] == ["--quick"]
    wanted = [] if quick else sys.argv[1:]
    found = mutants()
    copy()
    plant(found)
    chosen = [mutant for mutant in found if not wanted or mutant.trap in wanted]
    left = [mutant for mutant in found if quick and mutant.suite != "traps"]
    chosen = [mutant for mutant in chosen if mutant not in left]
    suites = {name: build(name) for name in SUITES if any(mutant.suite == name for mutant in chosen)}
    tests = {}
    for mutant in chosen:
        names = suites[mutant.suite][1]
        named = [name for name in names if mutant.trap in name.split("::")[-1].split("_")]
        if len(named) != 1:
            sys.exit(f"{mutant.trap} has {len(named)} tests in {mutant.suite}")
        tests[mutant.trap] = named[0]
    for name, suite in suites.items():
        clean = run(suite, sorted({tests[mutant.trap] for mutant in chosen if mutant.suite == name}), "")
        if clean.returncode:
            sys.exit("tests fail without any mutant:\n" + clean.stdout[-3000:])
    rows, survivors = [], []
    for mutant in sorted(chosen + left, key=lambda mutant: (int(re.sub(r"\D", "", mutant.trap)), mutant.trap)):
        if mutant in left:
            rows.append(f"| T{mutant.trap[1:]} | {mutant.suite} | {mutant.place}: {mutant.what} | not yet mutated |")
            continue
        done = run(suites[mutant.suite], [tests[mutant.trap]], mutant.trap)
        if not done.returncode:
            survivors.append(mutant.trap)
        failing = said(done.stdout) if done.returncode else "**passes**"
        rows.append(f"| T{mutant.trap[1:]} | {mutant.suite} `{tests[mutant.trap]}` | {mutant.place}: {mutant.what} | {failing} |")
    table = "\n".join(rows)
    if wanted:
        print(table)
    else:
        head, _, rest = TABLE.read_text().partition("<!-- written by mutate.py -->\n")
        titles = "| Trap | Test | What was broken, and where | What the test says then |\n| --- | --- | --- | --- |\n"
        end = rest[rest.index("<!-- end -->") :]
        TABLE.write_text(f"{head}<!-- written by mutate.py -->\n{titles}{table}\n{end}")
        known = {mutant.trap for mutant in found}
        named = {trap for name in suites["traps"][1] for trap in re.findall(r"(?:^|::)(t\d+[a-z]?)_", name)}
        if named - known:
            print("without a mutant:", *sorted(named - known), file=sys.stderr)
    if survivors:
        sys.exit("passes although the trap is sprung: " + " ".join(survivors))


if __name__ == "__main__":
    main()
