"""Write what was found about an annotator as one page of HTML."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import _safe_indexing

from .._utils import require
from ..data import UNLABELED, as_indexable
from ..votes import ABSTAIN
from ._costs import compare_costs
from ._escaping import HIDDEN, colour_source, printable
from ._findings import Findings, agree_pairwise, share_interval

if TYPE_CHECKING:
    from ._page_records import PageRecords

# One character a vote, which no JSON and no HTML has to escape.
_VOTES = ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_MANY_VOTES = 0x100
# In JSON within HTML: no end of a script, no comment, nothing that does not show.
_ESCAPED = {code: f"\\u{code:04x}" for code in (*map(ord, "<>&"), *HIDDEN)}
_N_COLOURS = 8
_N_BINS = 10
# Classes named beside the bar of a program's votes.
_N_NAMED = 3
_N_COUNTED = 200
_MILLION = 1_000_000


def render(
    findings: Findings,
    header: Mapping[str, Any],
    *,
    title: str,
    page_records: "PageRecords | None",
    marks: Mapping[int, list[list[int]]],
    rows: Sequence[int],
    notes: Sequence[str],
    costs: "Costs",
) -> str:
    """Write the page.

    Parameters
    ----------
    findings : Findings
        What was found.
    header : dict
        As `describe_report` makes it; goes into the file of corrections.
    title : str
        What is decided.
    page_records : PageRecords or None
        The records; without them there is no table of records.
    marks : dict of int to list
        As `find_marks` gives them.
    rows : sequence of int
        The records to show.
    notes : sequence of str
        What a reader has to know of what is left out.
    costs : Costs
        As `sum_up_costs` gives them.

    Returns
    -------
    html : str
        One page that needs no other file.
    """
    jinja2 = require("jinja2", extra="report", needed_by="AnnotationReport")
    style, script = _template("report.css"), _template("report.js")
    records = None
    if page_records is not None:
        records = _records(findings, page_records, marks, rows)
    data = {
        "report": header,
        "classes": [printable(name) for name in header["classes"]],
        "programs": [printable(name) for name in findings.names],
        "alphabet": _alphabet(len(findings.classes)),
        "records": records,
    }
    return (
        _environment(jinja2)
        .get_template("report.html")
        .render(
            title=title,
            digest=header["digest"],
            classes=_classes(findings),
            programs=_programs(findings),
            groups=_groups(findings),
            labelled=_labelled(findings),
            calibration=_calibration(findings),
            costs=costs,
            findings=findings,
            n_programs=len(findings.names),
            n_doubtful=int((findings.doubt != "").sum()),
            n_silent=int((findings.votes == ABSTAIN).all(axis=1).sum()),
            has_records=page_records is not None,
            n_records=len(rows),
            has_gold=bool((findings.gold != UNLABELED).any()),
            doubts=sorted({doubt for doubt in findings.doubt.tolist() if doubt}),
            notes=notes,
            style=jinja2.utils.markupsafe.Markup(style),
            script=jinja2.utils.markupsafe.Markup(script),
            data=jinja2.utils.markupsafe.Markup(_as_json(data)),
            style_hash=_hash(style),
            script_hash=_hash(script),
        )
    )


@cache
def _environment(jinja2: Any) -> Any:
    """Templates, which are compiled once."""
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_template),
    )
    environment.filters |= {
        "printable": printable,
        "percent": _percent,
        "count": "{:,}".format,
    }
    return environment


Costs = dict[str, Any]


def sum_up_costs(findings: Findings) -> Costs:
    """Say what the programs cost, in money so far and in time.

    Parameters
    ----------
    findings : Findings
        What was found.

    Returns
    -------
    costs : dict
        ``usage``: what is known of calls, as text. ``seconds``: of running the
        programs on all records and on a million. ``table``: lines of cells that compare
        with one call a row; None without a language model.
    """
    found = findings.found
    steps = [*found.before, found.labeler]
    usage = [step.usage_ for step in steps if hasattr(step, "usage_")]
    asked = [str(one) for one in usage if one.calls]
    per_row = float(findings.run.seconds.sum()) / len(findings.positions)
    table = None
    if asked and found.annotator is not None:
        n_counted = range(min(_N_COUNTED, len(findings.positions)))
        some = _safe_indexing(as_indexable(findings.taken), list(n_counted))
        n_rows = (findings.n_samples, _MILLION)
        table = compare_costs(found.annotator, some, n_rows=n_rows)._cells()
    return {
        "usage": asked,
        "seconds": [
            (f"{n:,}", _duration(n * per_row))
            for n in sorted({findings.n_samples, _MILLION})
        ],
        "table": table,
    }


@cache
def _template(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Name a script or a style for the page's policy, which allows no others."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _as_json(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_ESCAPED)


def _alphabet(n_classes: int) -> str:
    """List the characters that stand for abstaining and for each class."""
    if n_classes < len(_VOTES):
        return _VOTES[: n_classes + 1]
    return "".join(chr(_MANY_VOTES + k) for k in range(n_classes + 1))


def _records(
    findings: Findings,
    page_records: "PageRecords",
    marks: Mapping[int, list[list[int]]],
    rows: Sequence[int],
) -> dict[str, Any]:
    """Lay out the records column by column, votes in one string each."""
    alphabet = np.array(list(_alphabet(len(findings.classes))))
    votes = alphabet[findings.votes[list(rows)].astype(int) + 1]
    sources, source = _coded(findings.source[list(rows)])
    doubts, doubt = _coded(findings.doubt[list(rows)])
    gold = findings.gold[list(rows)]
    return {
        "names": [printable(name) for name in page_records.names],
        "position": findings.positions[list(rows)].tolist(),
        "label": findings.labels[list(rows)].tolist(),
        "confidence": np.rint(1000 * findings.confidence[list(rows)])
        .astype(int)
        .tolist(),
        "sources": sources,
        "source": source,
        "doubts": doubts,
        "doubt": doubt,
        "gold": gold.tolist() if (gold != UNLABELED).any() else None,
        "votes": ["".join(row) for row in votes],
        "values": [page_records.shown(row) for row in rows],
        "length": [page_records.lengths(row) for row in rows],
        "marks": [marks.get(row) for row in rows],
    }


def _coded(texts: np.ndarray) -> tuple[list[str], list[int]]:
    names, codes = np.unique(texts.astype(str), return_inverse=True)
    return names.tolist(), codes.tolist()


def _classes(findings: Findings) -> list[dict[str, Any]]:
    labeler = findings.found.labeler
    given = getattr(labeler, "classes", None)
    described = {}
    if isinstance(given, Mapping):
        described = {str(name): text for name, text in given.items()}
    counts = findings.votes_by_class()
    rows = []
    for k, name in enumerate(findings.classes.tolist()):
        labelled = findings.labels == k
        rows.append(
            {
                "name": str(name),
                "description": described.get(str(name)),
                "colour": k % _N_COLOURS,
                "n_labels": int(labelled.sum()),
                "share": float(labelled.mean()),
                "confidence": float(findings.confidence[labelled].mean())
                if labelled.any()
                else None,
                "n_votes": int(counts[:, k].sum()),
                "n_programs": int((counts[:, k] > 0).sum()),
            }
        )
    return rows


def _programs(findings: Findings) -> list[dict[str, Any]]:
    """Put together what is shown of each program."""
    votes, counts = findings.votes, findings.votes_by_class()
    voted = votes != ABSTAIN
    names = [str(name) for name in findings.classes.tolist()]
    alone = voted & (voted.sum(axis=1) == 1)[:, None]
    judged = voted & (findings.labels != ABSTAIN)[:, None]
    equal = judged & (votes == findings.labels[:, None])
    group_of = {
        program: number
        for number, group in enumerate(findings.groups(), start=1)
        for program in group
    }
    accuracy = findings.accuracy()
    programs = []
    for j, program in enumerate(findings.found.labeler.programs_):
        n_votes, n_failed = int(counts[j].sum()), sum(findings.run.failures[j].values())
        most = [int(k) for k in np.argsort(-counts[j], kind="stable") if counts[j, k]]
        share = accuracy.share[j]
        programs.append(
            {
                "name": program.name,
                "lines": colour_source(program.source),
                "provenance": _provenance(program),
                "covers": n_votes / len(votes),
                "n_votes": n_votes,
                "n_alone": int(alone[:, j].sum()),
                "n_against": int((judged & ~equal)[:, j].sum()),
                "agrees": int(equal[:, j].sum()) / max(int(judged[:, j].sum()), 1)
                if judged[:, j].any()
                else None,
                "accuracy": None if np.isnan(share) else float(share),
                "interval": None
                if np.isnan(accuracy.interval[j]).any()
                else accuracy.interval[j].tolist(),
                "basis": accuracy.basis[j],
                "n_gold": int(accuracy.n_gold[j]),
                "n_failed": n_failed,
                "failures": sorted(findings.run.failures[j].items()),
                "first_error": findings.run.first_errors[j],
                "us": 1e6 * float(findings.run.seconds[j]) / len(votes),
                "group": group_of.get(j),
                "bars": _bars(counts[j]),
                "votes": [
                    {"name": names[k], "n": int(counts[j, k]), "colour": k % _N_COLOURS}
                    for k in most
                ],
                "n_named": _N_NAMED,
            }
        )
    return programs


def _bars(counts: np.ndarray) -> list[tuple[int, float, float]]:
    """Lay out a bar of 100 units: colour, start and width of each class."""
    total = max(counts.sum(), 1)
    widths = 100 * counts / total
    starts = np.cumsum(widths) - widths
    return [
        (k % _N_COLOURS, round(float(starts[k]), 2), round(float(widths[k]), 2))
        for k in np.flatnonzero(counts).tolist()
    ]


def _provenance(program: Any) -> str:
    origin = program.provenance
    tuned = f"; tuned: {origin.changes}" if origin.changes else ""
    if origin.model is None:
        return "written by hand" + tuned
    mended = f", mended {origin.repairs} times" if origin.repairs > 1 else ""
    mended = ", mended once" if origin.repairs == 1 else mended
    return f"written by {origin.model}{mended}{tuned}"


def _groups(findings: Findings) -> list[dict[str, Any]]:
    share, n_shared = agree_pairwise(findings.votes)
    rows = []
    for group in findings.groups():
        pairs = [
            (share[a, b], n_shared[a, b])
            for place, a in enumerate(group)
            for b in group[place + 1 :]
            if n_shared[a, b]
        ]
        rows.append(
            {
                "programs": [(j, findings.names[j]) for j in group],
                "agree": float(np.mean([s for s, _ in pairs])) if pairs else None,
            }
        )
    return rows


def _labelled(findings: Findings) -> dict[str, Any] | None:
    """Count how many labels are right, where gold labels tell."""
    known = findings.gold != UNLABELED
    if not known.any():
        return None
    right = findings.labels[known] == findings.gold[known]
    low, high = share_interval([right.mean()], [known.sum()])[0]
    return {
        "n": int(known.sum()),
        "right": float(right.mean()),
        "low": float(low),
        "high": float(high),
    }


def _calibration(findings: Findings) -> dict[str, Any]:
    """Compare confidence with how often labels are right, where anybody knows."""
    known = findings.gold != UNLABELED
    has_gold = bool(known.any())
    used = known if has_gold else np.ones(len(known), bool)
    confidence = findings.confidence[used]
    right = findings.labels[used] == findings.gold[used]
    places = np.minimum((confidence * _N_BINS).astype(int), _N_BINS - 1)
    bins = []
    for place in range(_N_BINS):
        inside = places == place
        n = int(inside.sum())
        row = {"low": place / _N_BINS, "high": (place + 1) / _N_BINS, "n": n}
        if n:
            row["confidence"] = float(confidence[inside].mean())
        if n and has_gold:
            row["right"] = float(right[inside].mean())
            row["interval"] = share_interval([row["right"]], [n])[0].tolist()
        bins.append(row)
    error = None
    if has_gold:
        error = sum(r["n"] * abs(r["right"] - r["confidence"]) for r in bins if r["n"])
        error /= len(confidence)
    annotator = findings.found.annotator
    return {
        "has_gold": has_gold,
        "bins": [row for row in bins if row["n"]],
        "most": max(row["n"] for row in bins),
        "error": error,
        "label_use": getattr(annotator, "label_use_", {}).get("given", 0),
    }


def _percent(share: float | None) -> str:
    """Write a share, with a decimal where it is small."""
    if share is None or np.isnan(share):
        return "-"
    decimals = 1 if 0 < share < 0.0995 else 0
    return f"{100 * share:.{decimals}f} %"


def _duration(seconds: float) -> str:
    """Write a time to two digits or so."""
    for limit, unit, name in ((0.12, 1e-3, "ms"), (120, 1, "s"), (7200, 60, "min")):
        if seconds < limit:
            n = seconds / unit
            return f"{n:.1f} {name}" if n < 10 else f"{n:.0f} {name}"
    return f"{seconds / 3600:,.1f} h"
