"""Customer records from a table of a database: the contract's columns only, in a read-only transaction, sorted.

The address of the database is a SQLAlchemy URL in the environment, `MAILTOLL_CONN_<NAME>`; it is never listed nor kept.
"""

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, cast

from sources.locate import Found
from sources.log_spec import RecordsSpec
from transforms.errors import BadInput

_ROWS_AT_ONCE = 50_000
_READ_ONLY = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET TRANSACTION READ ONLY",
    "mariadb": "SET TRANSACTION READ ONLY",
}


def variable_of(connection: str) -> str:
    """Return the name of the environment variable that holds a connection's URL."""
    return "MAILTOLL_CONN_" + re.sub(r"[^A-Za-z0-9]", "_", connection).upper()


def find_table(spec: RecordsSpec, columns: Sequence[str]) -> Found:
    """Return the table as something to keep: its bytes are a CSV of `columns`, sorted by them.

    `BadInput`, without the URL's secrets: no such variable, driver, server, table or column.
    """
    connection, table = str(spec.connection), str(spec.table)
    variable = variable_of(connection)
    url = os.environ.get(variable, "")
    if not url:
        raise BadInput(
            f"{spec.named_in}: customers.connection {connection!r} needs the environment variable {variable}; "
            "set it to the database's SQLAlchemy URL."
        )
    uri = f"{connection}/{table}"
    return Found(
        uri, f"{table}.csv", lambda: cast(BinaryIO, _TableAsCsv(_rows(url, table, columns, spec, variable), columns))
    )


def _rows(url: str, table: str, columns: Sequence[str], spec: RecordsSpec, variable: str) -> Iterator[Sequence[Any]]:
    import sqlalchemy  # only where records come from a database
    from sqlalchemy.exc import SQLAlchemyError

    chosen: list[sqlalchemy.ColumnClause[Any]]
    name_of_schema, _, name = table.rpartition(".")
    where = f"{spec.named_in}: table {table!r} of connection {spec.connection!r}"
    try:
        engine = sqlalchemy.create_engine(url)
        present = [c["name"] for c in sqlalchemy.inspect(engine).get_columns(name, schema=name_of_schema or None)]
        missing = [c for c in columns if c not in present]
        if missing:
            raise BadInput(f"{where} has no column {missing[0]!r}; name a table or view with {', '.join(columns)}.")
        chosen = [sqlalchemy.column(c) for c in columns]
        query = (
            sqlalchemy.select(*chosen)
            .select_from(sqlalchemy.table(name, schema=name_of_schema or None))
            .order_by(*chosen)
        )
        with engine.connect() as link, link.begin():
            if read_only := _READ_ONLY.get(engine.dialect.name):
                link.execute(sqlalchemy.text(read_only))
            for batch in link.execution_options(stream_results=True).execute(query).partitions(_ROWS_AT_ONCE):
                yield from (tuple(row) for row in batch)
        engine.dispose()
    except sqlalchemy.exc.NoSuchTableError:
        raise BadInput(f"{where} does not exist; name a table or view that the connection may read.") from None
    except (SQLAlchemyError, ImportError) as error:
        kind = type(error).__name__  # the message may hold the URL or rows
        raise BadInput(
            f"{where} cannot be read ({kind}); check the URL in {variable}, its driver and its rights."
        ) from None


class _TableAsCsv(io.RawIOBase):
    """The bytes of a CSV that is written as it is read."""

    def __init__(self, rows: Iterator[Sequence[Any]], columns: Sequence[str]) -> None:
        self._rows, self._text = rows, io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(columns)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, whatever size was asked for; none at the end."""
        for row in self._rows:
            self._writer.writerow(["" if value is None else value for value in row])
            if self._text.tell() > 1_000_000:
                break
        piece = self._text.getvalue().encode("utf-8")
        self._text.seek(0)
        self._text.truncate()
        return piece
