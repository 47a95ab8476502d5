"""Label files from the command line: ``python -m sklearn_alchemist label``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .exceptions import AlchemistWarning, LLMError, TargetError

_USERS_TO_MEND = (ImportError, LLMError, OSError, TargetError, TypeError, ValueError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read what is asked, do it and say what was done.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Words of the command line; None takes those of this process.

    Returns
    -------
    status : int
        0, or 1 where something that the user can mend is in the way.
    """
    parser = argparse.ArgumentParser(prog="python -m sklearn_alchemist")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    label = commands.add_parser("label", help="label files with a fitted annotator")
    label.add_argument("source", help="Parquet or CSV: a file, a folder or a pattern")
    label.add_argument("target", help="folder for Parquet files; a second run goes on")
    label.add_argument(
        "--annotator",
        required=True,
        help="a fitted annotator or labeler, written by joblib.dump; it is unpickled, "
        "so take only files that you trust",
    )
    label.add_argument("--columns", nargs="+", help="those that it takes")
    label.add_argument(
        "--keep", nargs="+", default=[], help="those that are copied beside the labels"
    )
    label.add_argument("--batch-size", type=int, default=20_000, help="rows a part")
    label.add_argument("--n-jobs", type=int, help="batches at a time")
    label.add_argument(
        "--dry-run", action="store_true", help="say what it takes, and do nothing"
    )
    options = parser.parse_args(arguments)
    try:
        _label(options)
    except _USERS_TO_MEND as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped: the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _label(options: argparse.Namespace) -> None:
    import warnings

    from .streaming import label_files
    from .streaming._label_table import RESULTS, result_name

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: print(
            f"warning: {message}", file=sys.stderr
        )
        warnings.simplefilter("always", AlchemistWarning)
        result: Any = label_files(
            _load(options.annotator),
            options.source,
            options.target,
            columns=options.columns,
            keep=options.keep,
            batch_size=options.batch_size,
            n_jobs=options.n_jobs,
            dry_run=options.dry_run,
            on_part=_show if sys.stderr.isatty() else None,
        )
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if options.dry_run:
        rows = "unknown" if result.n_rows is None else f"{result.n_rows:,}"
        seconds = "unknown" if result.seconds is None else f"{result.seconds:,.0f}"
        cost = "unknown" if result.cost is None else f"{result.cost:.2f} US dollars"
        print(f"rows: {rows}; bytes: {result.n_bytes:,}; seconds: {seconds}; {cost}")
        return
    print(
        f"{result.n_rows:,} rows labelled in {result.n_parts} parts, "
        f"{result.n_kept} parts were there, {result.seconds:,.1f} s; Parquet files in "
        f"the folder {result.target}"
    )
    for name in {*RESULTS} & {*options.keep}:
        print(f"{name} is that of the source, ours is {result_name(name, [name])!r}")


def _show(done: Any) -> None:
    """Say on one line of the terminal how far it is."""
    speed = done.n_rows / max(done.seconds, 1e-9)
    line = f"\r{done.n_rows:,} rows, {done.n_parts} parts, {speed:,.0f} rows a second"
    print(line, end="", file=sys.stderr, flush=True)


def _load(path: str) -> Any:
    import joblib

    if not Path(path).is_file():
        raise ValueError(f"{path!r} is no file: write the annotator with joblib.dump.")
    try:
        return joblib.load(path)
    except ImportError:
        raise
    except Exception as error:  # of what is no pickle, anything may be said
        raise ValueError(
            f"{path!r} cannot be loaded: {type(error).__name__}: {error}. Write the "
            "annotator with joblib.dump, with the versions that are installed here."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
