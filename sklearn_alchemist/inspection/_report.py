"""Show an expert, in one file, what an annotator does, and take corrections."""

import html
import json
import os
import tempfile
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._utils import as_path, write_text
from ..data import Classes
from ..programs import LabelingProgram
from ._corrections import FORMAT, describe_report
from ._escaping import printable
from ._findings import gather
from ._page import render, sum_up_costs
from ._page_records import choose_rows_to_mark, find_marks, read_page_records

# A notebook keeps what it shows, so it gets fewer records.
_N_IN_NOTEBOOK = 500
_NOTEBOOK_HEIGHT = 720


class AnnotationReport:
    """Show what programs do, why records get their labels, and take corrections.

    The report is one file of HTML that needs no network and no Python to read: it
    shows the task and its classes; each program with its source, what it covers, agrees
    with, fails at and how accurate it is; programs that repeat each other; calibration
    and cost; and a table of the records that can be searched and filtered, with label,
    confidence, doubt, votes and the words that programs matched. An expert can switch
    programs off, remark on them, and give records their right class; what was corrected
    is downloaded as one file, which `read_corrections` reads.

    Programs run once, over at most `max_records` records, and once more, watched, over
    at most `max_marked`: a report of a million records costs as much as one of ten
    thousand. Nothing is asked of a language model.

    Parameters
    ----------
    estimator : ProgramSynthesisLabeler, Pipeline that has one, or DistilledAnnotator
        Fitted. An annotator tells most; of a labeler alone, labels are those with most
        votes. A search such as ``GridSearchCV`` shows its best estimator.

    X : array-like of shape (n_samples,) of str, or (n_samples, n_features)
        The records: texts, or a table.

    y : array-like of shape (n_samples,), default=None
        Gold labels, of which some may be missing. With them, accuracy and calibration
        are measured rather than estimated.

    show_records : bool, default=True
        Whether the file holds the records. Without them it shows programs only, and can
        be given to people who may not see the data.

    max_records : int, default=10_000
        Of more records, so many are drawn at random, always the same ones. The page
        says so. All figures are of these.

    max_marked : int, default=1_000
        In how many records at most to mark what programs matched: those most in doubt,
        and some on which each program contradicts the label.

    Attributes
    ----------
    programs : list of LabelingProgram
        The programs.

    digest : str
        Identifies records, classes and programs. The same for a report made again.

    See Also
    --------
    read_corrections : Reads what an expert downloaded from the page.
    program_summary : The figures of programs as a table.

    Notes
    -----
    Writing the page needs jinja2: ``pip install 'sklearn_alchemist[report]'``. All that
    comes from records, programs or models is escaped, and the page forbids itself, by a
    content security policy, any script but its own and any request.

    Long values are cut, so that the page stays below a few megabytes, and the page says
    where.

    Examples
    --------
    >>> from sklearn_alchemist import LabelingProgram, ProgramSynthesisLabeler
    >>> from sklearn_alchemist.inspection import AnnotationReport
    >>> link = LabelingProgram("link", "def label(text): return 'http' in text or None")
    >>> song = LabelingProgram("song", "def label(text): return 'song' not in text")
    >>> labeler = ProgramSynthesisLabeler(classes=[False, True], programs=[link, song])
    >>> texts = ["http://a.example free", "what a song", "song of mine", "free http"]
    >>> report = AnnotationReport(labeler.fit(texts), texts)
    >>> report
    <AnnotationReport: 2 programs, 4 of 4 records. Use .open() or .write_html(path)>
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report.write_html(f"{folder}/report.html")
    """

    programs: list[LabelingProgram]
    digest: str

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        show_records: bool = True,
        max_records: int = 10_000,
        max_marked: int = 1_000,
    ) -> None:
        for name, value, least in (
            ("max_records", max_records, 1),
            ("max_marked", max_marked, 0),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value!r}.")
        self._findings = findings = gather(estimator, X, y, n_records=max_records)
        labeler = findings.found.labeler
        self.programs = list(labeler.programs_)
        page_records = read_page_records(findings.X)
        self._header = describe_report(
            labeler.classes_, self.programs, findings.n_samples, page_records.values
        )
        self.digest = self._header["digest"]
        self._costs = sum_up_costs(findings)
        self._page_records = page_records if show_records else None
        self._marks: dict[int, list[list[int]]] = {}
        if show_records and max_marked:
            rows = choose_rows_to_mark(findings, max_marked)
            self._marks = find_marks(findings, page_records, rows)

    def write_html(self, path: "str | os.PathLike[str]") -> None:
        """Write the report into one file.

        Parameters
        ----------
        path : str or path-like
            The file, such as ``"report.html"``. One that exists is replaced.

        Raises
        ------
        ImportError
            If jinja2 is not installed.

        OSError, ValueError
            If the file cannot be written.
        """
        write_text(as_path(path), self._render(self._all_rows()))

    def open(self) -> Path:
        """Write the report into a temporary file and open it in the browser.

        Returns
        -------
        path : Path
            The file, which stays until you delete it; only you can read it.

        Raises
        ------
        ImportError
            If jinja2 is not installed.
        """
        page = self._render(self._all_rows())
        folder = Path(tempfile.mkdtemp(prefix="sklearn_alchemist_"))
        path = folder / "report.html"
        write_text(path, page, mode=0o600)
        webbrowser.open(path.as_uri())
        return path

    def write_corrections(
        self,
        path: "str | os.PathLike[str]",
        *,
        labels: Mapping[int, Any] | None = None,
        switched_off: Sequence[str] = (),
        remarks: Mapping[str, str] | None = None,
    ) -> None:
        """Write the file that the page would save, for answers that come otherwise.

        Parameters
        ----------
        path : str or path-like
            The file.

        labels : dict of int to class, default=None
            Position of a record -> its right class.

        switched_off : sequence of str, default=()
            Names of programs.

        remarks : dict of str to str, default=None
            Name of a program -> what to say of it.

        Raises
        ------
        ValueError
            If a label is no class, or a name that of no program.
        """
        labels, remarks = labels or {}, remarks or {}
        unknown = {*switched_off, *remarks} - {p.name for p in self.programs}
        if unknown:
            raise ValueError(
                f"{sorted(unknown)[0]!r} is none of the programs "
                f"{', '.join(program.name for program in self.programs)}."
            )
        classes = self._findings.classes
        codes = Classes.of_names(classes).encode(list(labels.values()))
        written = [self._header["classes"][code] for code in codes]
        answer = {
            "format": FORMAT,
            "report": self._header,
            "labels": [
                {"position": int(position), "label": label}
                for position, label in zip(labels, written, strict=True)
            ],
            "programs": [
                {
                    "name": name,
                    "use": name not in switched_off,
                    "remark": remarks.get(name, ""),
                }
                for name in dict.fromkeys([*switched_off, *remarks])
            ],
        }
        write_text(as_path(path), json.dumps(answer, indent=1) + "\n")

    def __repr__(self) -> str:
        n_programs, n_drawn = len(self.programs), len(self._findings.positions)
        return (
            f"<AnnotationReport: {n_programs} program{'s' * (n_programs != 1)}, "
            f"{n_drawn:,} of {self._findings.n_samples:,} records. "
            "Use .open() or .write_html(path)>"
        )

    def _repr_html_(self) -> str:
        rows = self._all_rows()
        if len(rows) > _N_IN_NOTEBOOK:
            rows = np.argsort(self._findings.confidence, kind="stable")
            rows = np.sort(rows[:_N_IN_NOTEBOOK])
        # In a frame of its own, which reaches nothing of the notebook.
        page = html.escape(self._render(rows))
        return (
            f'<iframe srcdoc="{page}" title="Annotation report" '
            'sandbox="allow-scripts allow-downloads allow-modals" '
            f'style="width: 100%; height: {_NOTEBOOK_HEIGHT}px; border: 0"></iframe>'
        )

    def _all_rows(self) -> np.ndarray:
        return np.arange(
            0 if self._page_records is None else len(self._findings.positions)
        )

    def _render(self, rows: np.ndarray) -> str:
        labeler = self._findings.found.labeler
        return render(
            self._findings,
            self._header,
            title=printable(getattr(labeler, "task", None) or "Annotation report"),
            page_records=self._page_records,
            marks=self._marks,
            rows=rows.tolist(),
            notes=list(self._notes(rows)),
            costs=self._costs,
        )

    def _notes(self, rows: np.ndarray) -> "list[str]":
        """Say what is left out."""
        findings, page_records = self._findings, self._page_records
        n_drawn, notes = len(findings.positions), []
        if n_drawn < findings.n_samples:
            notes.append(
                f"All figures are of a random sample: {n_drawn:,} of "
                f"{findings.n_samples:,} records."
            )
        if page_records is None:
            notes.append("The records are left out of this file.")
            return notes
        if len(rows) < n_drawn:
            notes.append(
                f"In a notebook, only the {len(rows):,} records most in doubt are "
                f"shown of {n_drawn:,}; write_html gives a file with all of them."
            )
        if page_records.n_cut:
            values = "value is" if page_records.n_cut == 1 else "values are"
            notes.append(
                f"{page_records.n_cut:,} {values} longer than {page_records.limit:,} "
                "characters and shown only so far; the search looks at what is shown."
            )
        if len(page_records.names) < page_records.n_columns:
            notes.append(
                f"The first {len(page_records.names)} of {page_records.n_columns:,} "
                "columns are shown."
            )
        n_marked = sum(row in self._marks for row in rows.tolist())
        if self._marks and n_marked < len(rows):
            notes.append(
                f"The words that programs matched are marked in {n_marked:,} records: "
                "those most in doubt, and some on which each program contradicts the "
                "label."
            )
        return notes
