"""The command line: each command, its options, and how it ends.

Exit status: 0 published, 2 bad input, 3 refused by a quality gate.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from mailtoll.process import spare
from sources.errors import BadInput

if TYPE_CHECKING:
    from mailtoll.steps import RunResult

PUBLISHED, BAD_INPUT, REFUSED, INTERRUPTED = 0, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; bad input ends in one sentence on standard error."""
    spare()
    try:
        arguments = _parser().parse_args(argv)
        return int(arguments.command(arguments))
    except SystemExit as stop:  # argparse: help, or a command line that it refused
        return stop.code if isinstance(stop.code, int) else BAD_INPUT
    except BadInput as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of our output had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PUBLISHED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}; make the place usable and run again.")
    except (KeyboardInterrupt, EOFError):  # the latter: no answer to a question
        print("mailtoll: interrupted; run the same command again, finished work is kept.", file=sys.stderr)
        return INTERRUPTED


CLAIM = "WHO; WHAT THEY SAID; LOW-HIGH; UNIT, such as: Radio; 20,000 users; 20000; mailbox"
QUESTIONS = {
    "id": ("short name, which also names the folder of its runs", None),
    "title": ("title of the report", None),
    "start": ("first instant of the window, such as 2030-01-31T00:00:00Z", None),
    "end": ("first instant after the window", None),
    "headline": ("UNIT THRESHOLD MESSAGES COUNT of the headline", "account 1h excluding_bulk late"),
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line in one sentence."""

    def error(self, message: str) -> NoReturn:
        print(f"mailtoll: {message}; `{self.prog} --help` shows how it is called.", file=sys.stderr)
        raise SystemExit(BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="mailtoll", description="Count whom an e-mail outage reached, from the mail servers' own logs."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    run = commands.add_parser("run", help="the whole path for one incident: from logs to a published report")
    check = commands.add_parser("check", help="the quality gates only")
    for command, action in ((run, _run), (check, _check)):
        command.add_argument("incident", metavar="INCIDENT.yaml", type=Path, help="the incident file")
        command.add_argument("--out", metavar="DIR", type=Path, help="where results go (default: build/<incident id>)")
        command.set_defaults(command=action)
    run.add_argument("--mail", action="store_true", help="mail the summary to those whom the incident file names")
    explain = commands.add_parser("explain", help="one verdict, replayed down to its log lines")
    explain.add_argument("folder", metavar="DIR", type=Path, help="the folder of a finished run")
    explain.add_argument("subject", metavar="ACCOUNT_OR_MAILBOX", help="whose verdict")
    explain.set_defaults(command=_explain)
    standby = commands.add_parser("standby", help="pull and parse what is new into the standby store")
    standby.add_argument("file", metavar="STANDBY.yaml", type=Path, help="the standby file")
    standby.set_defaults(command=_standby)
    retention = commands.add_parser("retention", help="let old logs and tables go, by policy")
    retention.add_argument("policy", metavar="POLICY.yaml", type=Path, help="the policy file")
    retention.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    retention.set_defaults(command=_retention)
    new = commands.add_parser("new-incident", help="write an incident file; asks for what is not given")
    new.add_argument("file", metavar="STANDBY.yaml", type=Path, help="the standby file: what holds for every incident")
    new.add_argument("incident", metavar="INCIDENT.yaml", type=Path, help="the incident file to write")
    for name, (question, _) in QUESTIONS.items():
        new.add_argument(f"--{name}", help=question)
    new.add_argument("--claim", action="append", dest="claims", metavar="CLAIM", help=CLAIM)
    new.add_argument("--weeks", type=int, default=2, help="ordinary weeks to propose as the baseline (default: 2)")
    new.set_defaults(command=_new_incident)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    out = _out(arguments)
    _require_what_goes_out(arguments)
    _begin_gates()
    from mailtoll.steps import run_incident  # heavy: not for --help, nor for a mistyped command or incident

    with _progress() as progress:
        result = run_incident(arguments.incident, out, progress)
    if result.status == "refused":
        return _refused(result)
    print(headline_in_words(result.headline))
    if result.change:
        print(f"  {result.change}")
    _print_paths(result.paths)
    _go_out(arguments, result.count)
    return PUBLISHED


def _begin_gates() -> None:
    """Start what takes longest to load, in a process of its own, so that it is there when the gates need it."""
    from expectations.judge_aside import preload  # as above

    preload()


def _require_what_goes_out(arguments: argparse.Namespace) -> None:
    """Say before anything is read what would be missing at the end: recipients, the annexes' secret, or a policy."""
    from mailtoll.incident import load_incident
    from mailtoll.redress_policy import read_redress_policy
    from mailtoll.secret import secret_of

    incident = load_incident(arguments.incident)
    if arguments.mail and incident.mail is None:
        raise BadInput(f"{incident.path}: --mail needs key 'mail', with from and to; add it, or leave --mail out.")
    if incident.annexes:
        secret_of(incident.id, str(incident.path))
    if policy := incident.redress_policy():
        read_redress_policy(policy)


def _go_out(arguments: argparse.Namespace, count: str) -> None:
    """Mail the summary if that was asked for; say who must approve where the incident asks for that."""
    from mailtoll.outgoing import approvers, send  # as above

    run = (str(arguments.incident), str(_out(arguments)))
    if names := approvers(*run):
        print(f"Neither on the site nor mailed: {' or '.join(names)} must approve it, in Airflow's publish_reports.")
    elif arguments.mail:
        told = send(*run, count)
        print(f"Mailed to {told['sent']} recipients; {told['sent_before']} had it before.")


def _check(arguments: argparse.Namespace) -> int:
    out = _out(arguments)
    _begin_gates()
    from mailtoll.steps import check_incident  # as above

    with _progress() as progress:
        result = check_incident(arguments.incident, out, progress)
    if result.status == "refused":
        return _refused(result)
    print("All quality gates passed.")
    for warning in result.reasons:
        print(f"  warning: {warning}")
    _print_paths(result.paths)
    return PUBLISHED


def _explain(arguments: argparse.Namespace) -> int:
    if not arguments.folder.is_dir():
        raise BadInput(f"{arguments.folder} is no folder; give the --out folder of a finished run.")
    from mailtoll.explain import explain  # as above
    from mailtoll.retention import what_is_gone

    if gone := what_is_gone(arguments.folder):
        print(f"mailtoll: by the retention policy, {gone}", file=sys.stderr)
    print(explain(arguments.folder, arguments.subject))
    return PUBLISHED


def _standby(arguments: argparse.Namespace) -> int:
    from mailtoll.standby import ingest, load_standby, missed  # as above

    standby, now = load_standby(arguments.file), datetime.now(UTC)
    done = ingest(standby, now)
    print(f"{done['files']} log files, {done['new']} of new content, {done['parsed']} parsed: {standby.warehouse.root}")
    for warning in missed(standby, now):
        print(f"  warning: {warning}")
    return PUBLISHED


def _retention(arguments: argparse.Namespace) -> int:
    from mailtoll.retention import apply_policy, read_policy  # as above

    for sentence in apply_policy(read_policy(arguments.policy), datetime.now(UTC), is_dry=arguments.dry_run):
        print(sentence)
    return PUBLISHED


def _new_incident(arguments: argparse.Namespace) -> int:
    from mailtoll.new_incident import Answers, write_incident  # as above
    from mailtoll.standby import load_standby

    standby, is_asking = load_standby(arguments.file), sys.stdin.isatty()
    given = {name: getattr(arguments, name) for name in QUESTIONS}
    for name, (question, usual) in QUESTIONS.items():
        if not given[name] and is_asking:
            given[name] = input(f"{name}: {question}{f' [{usual}]' if usual else ''}\n> ").strip()
        given[name] = given[name] or usual
    if lacking := [f"--{name}" for name, value in given.items() if not value]:
        raise BadInput(f"new-incident needs {', '.join(lacking)}; give them, or answer at a terminal.")
    claims = arguments.claims or []
    while arguments.claims is None and is_asking and (claim := input(f"claim: {CLAIM}; empty: no more\n> ").strip()):
        claims.append(claim)
    path = write_incident(standby, Answers(**given, claims=tuple(claims), weeks=arguments.weeks), arguments.incident)
    print(f"{path} is written; read its comments, then: mailtoll run {path}")
    return PUBLISHED


def _out(arguments: argparse.Namespace) -> Path:
    """Return the folder for results: as given, else build/<incident id> below the current folder.

    The incident file is read here already, so that a mistake in it is said at once.
    """
    from mailtoll.incident import load_incident  # reads YAML with pydantic: not for `explain`

    incident = load_incident(arguments.incident)
    if arguments.out is None:
        return Path("build") / incident.id
    if arguments.out.exists() and not arguments.out.is_dir():
        raise BadInput(f"--out {arguments.out} is a file; name a folder.")
    return Path(arguments.out)


def _refused(result: "RunResult") -> int:
    print("Refused: the quality gates did not pass, so no figure is published.")
    for reason in result.reasons:
        print(f"  - {reason}")
    if result.change:
        print(result.change)
    _print_paths(result.paths)
    return REFUSED


def headline_in_words(cell: dict[str, Any] | None) -> str:
    """Return one row of the grid as one line of words."""
    if cell is None:
        return "Published."
    from mailtoll.durations import spell_duration  # small, but only needed here

    unit = str(cell["unit"])
    plural = {"delivery": "deliveries", "address": "addresses", "mailbox": "mailboxes"}.get(unit, unit + "s")
    counted = "late" if cell["count"] == "late" else "late or lost"
    aside = ", bulk mail left out" if cell["messages"] == "excluding_bulk" else ""
    ordinary = "" if cell.get("baseline") is None else f"; {cell['baseline']:,.1f} in an ordinary window"
    return (
        f"{cell['measured']:,} {plural} {counted} by {spell_duration(int(cell['threshold_seconds']))} or more{aside} "
        f"(at least {cell['lower']:,}, up to {cell['upper']:,}{ordinary})"
    )


def _print_paths(paths: dict[str, Path]) -> None:
    width = max((len(name) for name in paths), default=0)
    for name, path in paths.items():
        print(f"  {name:<{width}}  {path}")


def _fail(sentence: str) -> int:
    print(f"mailtoll: {sentence}", file=sys.stderr)
    return BAD_INPUT


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Give what steps report to, on standard error: a moving line on a terminal, plain lines elsewhere.

    With MAILTOLL_LOG=json machines read along: one JSON object per finished step instead.
    """
    if os.environ.get("MAILTOLL_LOG") == "json":
        logging.basicConfig(format="%(message)s", stream=sys.stderr)
        logging.getLogger("mailtoll").setLevel(logging.INFO)
        yield lambda step: None
        return
    if not sys.stderr.isatty():
        yield lambda step: print(f"mailtoll: {step}", file=sys.stderr, flush=True)
        return
    from rich.console import Console  # only where there is a terminal to draw on
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda step: bar.update(task, description=step)
