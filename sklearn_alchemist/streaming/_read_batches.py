"""Read files of any number of rows in batches that are the same each time."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

PACKED = (".gz", ".bz2", ".zst", ".lz4")
# Of a file, the first and the last bytes are read for its digest; what is between them
# is told by size and time.
READ_FOR_DIGEST = 1 << 20
# No row of a CSV file may be longer; types are guessed from as much.
_CSV_BLOCK = 4 << 20
# What stands before a quoted text: nothing, the end of a line or of a field.
_BEFORE_A_QUOTE = {b"", b"\n", b"\r", b",", b"\t"}
# Numbers that would not come back as they were written: postal codes, identifiers.
_LEADING_ZERO = r"^[+-]?0[0-9]"


@dataclass(frozen=True)
class SourceFile:
    """One file, as it was when it was found.

    Parameters
    ----------
    path : str
        Where it lies in its file system.

    size : int
        Number of bytes.

    changed : float
        When it was changed last, in seconds since 1970; 0 where nobody knows.

    digest : str
        Of its first and last bytes.
    """

    path: str
    size: int
    changed: float
    digest: str

    def as_dict(self) -> dict[str, Any]:
        """Give what a manifest keeps."""
        return asdict(self)


@dataclass(frozen=True)
class Source:
    """Files of one format in one file system, in the order of their names.

    Parameters
    ----------
    filesystem : pyarrow.fs.FileSystem
        Where they lie.

    files : tuple of SourceFile
        At least one.

    format : {"parquet", "csv"}
        How they are written.
    """

    filesystem: Any
    files: tuple[SourceFile, ...]
    format: str

    def schema(self, file: SourceFile) -> "pa.Schema":
        """Read names and types of the columns of a file.

        Parameters
        ----------
        file : SourceFile
            One of the files.

        Returns
        -------
        schema : pyarrow.Schema
            Types of a CSV file are guessed from its first rows.
        """
        if self.format == "parquet":
            return _open_parquet(self.filesystem, file).schema_arrow
        _check_delimiter(self.filesystem, file)
        with _open_csv(self.filesystem, file, None, {}) as reader:
            return reader.schema

    def kept_schema(self, columns: Sequence[str], keep: Sequence[str]) -> "pa.Schema":
        """Check that all files have the same columns, and find types for some.

        A file that cannot be read is passed by: those before it can be labelled.

        Parameters
        ----------
        columns : sequence of str
            Those that each file has to have.

        keep : sequence of str
            Those of them that are copied.

        Returns
        -------
        schema : pyarrow.Schema
            The columns to keep, with types that hold the values of all files.

        Raises
        ------
        ValueError
            If a file has not each column once, or types that nothing holds.
        """
        import pyarrow as pa

        found = pa.schema([])
        for file in self.files:
            try:
                schema = self.schema(file)
            except ValueError:
                continue
            for name in columns:
                n_times = schema.names.count(name)
                if n_times != 1:
                    raise ValueError(
                        f"{file.path} has "
                        f"{f'{n_times} columns' if n_times else 'no column'} {name!r}, "
                        f"and is to have one; its columns are "
                        f"{', '.join(schema.names)}."
                    )
            own = [schema.field(name).remove_metadata() for name in keep]
            if self.format == "csv" and keep:
                own = self._without_loss(file, own)
            found = self._common(file, found, own)
        return found

    def _without_loss(self, file: SourceFile, fields: list[Any]) -> list[Any]:
        """Leave as text what would lose leading zeros as a number."""
        import pyarrow as pa
        from pyarrow import compute

        names = [field.name for field in fields]
        types = dict.fromkeys(names, pa.string())
        with _open_csv(self.filesystem, file, names, types) as reader:
            first = next(iter(reader), None)
        if first is None:
            return fields
        return [
            pa.field(field.name, pa.string())
            if pa.types.is_integer(field.type)
            and compute.any(
                compute.match_substring_regex(first[field.name], _LEADING_ZERO)
            ).as_py()
            else field
            for field in fields
        ]

    def _common(self, file: SourceFile, found: Any, own: list[Any]) -> Any:
        """Find types that hold what was found before and what a file has."""
        import pyarrow as pa

        fields = []
        for field in own:
            if field.name not in found.names:
                fields.append(field)
                continue
            before = found.field(field.name)
            try:
                both = [pa.schema([before]), pa.schema([field])]
                unified = pa.unify_schemas(both, promote_options="permissive")
                fields.append(unified.field(0))
            except pa.ArrowException:
                if self.format != "csv":
                    raise ValueError(
                        f"the column {field.name!r} to keep is {before.type} in files "
                        f"before {file.path}, and {field.type} there: write it as one "
                        "type, or keep another."
                    ) from None
                fields.append(pa.field(field.name, pa.string()))
        return pa.schema(fields)

    def n_rows(self, file: SourceFile) -> int | None:
        """Tell how many rows a file has, None where it would have to be read."""
        if self.format == "parquet":
            return _open_parquet(self.filesystem, file).metadata.num_rows
        return None

    def batches(
        self,
        file: SourceFile,
        columns: Sequence[str],
        batch_size: int,
        *,
        types: "Mapping[str, pa.DataType] | None" = None,
        start: int = 0,
    ) -> Iterator["pa.Table"]:
        """Read a file in batches of the same number of rows, the last one smaller.

        Parameters
        ----------
        file : SourceFile
            One of the files.

        columns : sequence of str
            Those to read.

        batch_size : int
            Rows a batch.

        types : dict of str to DataType, default=None
            Types of columns of a CSV file, whatever they look like.

        start : int, default=0
            The first batch that is needed.

        Yields
        ------
        batch : pyarrow.Table
            The rows of one batch, in the order of the file.

        Raises
        ------
        ValueError
            If the file cannot be read to its end. Names the file.
        """
        import pyarrow as pa

        try:
            if self.format == "parquet":
                opened = _open_parquet(self.filesystem, file)
                groups, skipped = _row_groups_from(opened, start * batch_size)
                pieces = opened.iter_batches(
                    batch_size, row_groups=groups, columns=list(columns)
                )
                yield from _regroup(pieces, batch_size, start * batch_size - skipped)
            else:
                last = self.schema(file).names[-1]
                types = {last: pa.string(), **(types or {})}
                names = [*dict.fromkeys([*columns, last])]
                with _open_csv(self.filesystem, file, names, types) as reader:
                    pieces = self._to_its_end(file, reader, columns, last)
                    yield from _regroup(pieces, batch_size, start * batch_size)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(_cannot_read(file, error)) from error

    def _to_its_end(
        self, file: SourceFile, pieces: Any, columns: Sequence[str], last: str
    ) -> Iterator[Any]:
        """Hold the last piece of a CSV file back until its last row is seen whole.

        What breaks off within a quoted text would else be a row like all others.
        """
        import pyarrow as pa

        held = None
        for piece in pieces:
            if not piece.num_rows:
                continue
            if held is not None:
                yield held.select(list(columns))
            held = piece
        if held is None:
            return
        text = held.column(held.schema.get_field_index(last))[-1].as_py()
        written = b'"' + str("" if text is None else text).encode().replace(b'"', b'""')
        ending = self._ending(file, len(written) + 1)
        if ending.endswith(written) and ending[: -len(written)] in _BEFORE_A_QUOTE:
            raise pa.ArrowInvalid(
                f"it breaks off within a quoted text of the column {last!r}"
            )
        yield held.select(list(columns))

    def _ending(self, file: SourceFile, n_bytes: int) -> bytes:
        """Read the last bytes of a file, unpacked."""
        if not file.path.lower().endswith(PACKED):
            with self.filesystem.open_input_file(file.path) as opened:
                opened.seek(max(0, opened.size() - n_bytes))
                return opened.read()
        ending = b""
        with self.filesystem.open_input_stream(file.path) as stream:
            while block := stream.read(max(n_bytes, READ_FOR_DIGEST)):
                ending = (ending + block)[-n_bytes:]
        return ending


def _cannot_read(file: SourceFile, error: Exception) -> str:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    if "straddling object" in reason:
        reason = (
            f"a row is longer than {_CSV_BLOCK >> 20} MB, as where a quotation mark is "
            "never closed: mend the file, or write it as Parquet"
        )
    return f"{file.path} cannot be read: {reason}"


def _open_parquet(filesystem: Any, file: SourceFile) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # What is read ahead would stay until the end of the file.
        return parquet.ParquetFile(
            filesystem.open_input_file(file.path), pre_buffer=False
        )
    except (pa.ArrowException, OSError) as error:
        raise ValueError(_cannot_read(file, error)) from None


def _open_csv(
    filesystem: Any,
    file: SourceFile,
    columns: Sequence[str] | None,
    types: dict[str, Any],
) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    try:
        return csv.open_csv(
            filesystem.open_input_stream(file.path),
            read_options=csv.ReadOptions(block_size=_CSV_BLOCK),
            parse_options=csv.ParseOptions(
                delimiter=_delimiter(file), newlines_in_values=True
            ),
            convert_options=csv.ConvertOptions(
                include_columns=None if columns is None else list(columns),
                column_types=types,
            ),
        )
    except (pa.ArrowException, OSError) as error:
        raise ValueError(_cannot_read(file, error)) from None


def _delimiter(file: SourceFile) -> str:
    return "\t" if ".tsv" in os.path.basename(file.path.lower()) else ","  # noqa: PTH119


def _check_delimiter(filesystem: Any, file: SourceFile) -> None:
    """Raise where names are separated by another mark: a row would be one text."""
    try:
        with filesystem.open_input_stream(file.path) as stream:
            names = stream.read(READ_FOR_DIGEST).split(b"\n", 1)[0].decode("latin-1")
    except OSError as error:
        raise ValueError(_cannot_read(file, error)) from None
    expected = _delimiter(file)
    other = next((mark for mark in ";\t|," if mark in names), None)
    if expected not in names and other is not None:
        raise ValueError(
            f"{file.path} seems to be separated by {other!r}, not by {expected!r}: "
            f"write it anew, as in pandas.read_csv({os.path.basename(file.path)!r}, "  # noqa: PTH119
            f"sep={other!r}).to_parquet('records.parquet')."
        )


def _row_groups_from(opened: Any, row: int) -> tuple[list[int], int]:
    """Find the row groups from that of a row on, and how many rows are before them."""
    before = 0
    for group in range(opened.num_row_groups):
        size = opened.metadata.row_group(group).num_rows
        if before + size > row:
            return list(range(group, opened.num_row_groups)), before
        before += size
    return [], before


def _regroup(pieces: Any, batch_size: int, skip: int) -> Iterator["pa.Table"]:
    """Cut what is read into batches of one size, without the first rows."""
    import pyarrow as pa

    held: list[Any] = []
    n_held = 0
    for piece in pieces:
        if skip >= piece.num_rows:
            skip -= piece.num_rows
            continue
        left, skip = piece.slice(skip), 0
        while n_held + left.num_rows >= batch_size:
            taken = batch_size - n_held
            yield pa.Table.from_batches([*held, left.slice(0, taken)])
            held, n_held, left = [], 0, left.slice(taken)
        if left.num_rows:
            held.append(left)
            n_held += left.num_rows
    if held:
        yield pa.Table.from_batches(held)
