"""Customer records from a table of a database: the contract's columns only, in a read-only transaction, sorted.

Where the database is and how to be let in says an Airflow connection; it is never listed nor kept. Rows come by a
cursor on the server, so that a table of any size passes through little memory.
"""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from sources.connections import Connection, find_connection, variable_of
from sources.errors import BadInput, SourceAway
from sources.locate import Found
from sources.log_spec import RecordsSpec

if TYPE_CHECKING:
    import sqlalchemy

_ROWS_AT_ONCE = 50_000
_CONNECT_SECONDS = 20
# How SQLAlchemy calls the drivers for a connection's type.
_DRIVERS = {"postgres": "postgresql+psycopg", "mysql": "mysql", "mariadb": "mariadb", "sqlite": "sqlite"}
_READ_ONLY = "SET TRANSACTION READ ONLY"  # SQLite knows no such thing


def find_table(spec: RecordsSpec, columns: Sequence[str]) -> tuple[Found, str]:
    """Return the table as something to keep, and the query that reads it.

    Its bytes are a CSV of `columns`, sorted by them. `BadInput`, without the connection's secrets: no such connection,
    driver, table or column; `SourceAway` while it is read: the server does not answer.
    """
    name, table = str(spec.connection), str(spec.table)
    known = find_connection(name, "customers.connection", spec.named_in)
    if known.kind not in _DRIVERS:
        raise BadInput(
            f"{spec.named_in}: connection {name!r} is of type {known.kind!r}, which we read no records from; the "
            f"types are {', '.join(_DRIVERS)}."
        )
    query = _query(table, columns)
    rows = _rows(known, table, columns, query, spec)
    return Found(f"{name}/{table}", f"{table}.csv", lambda: cast(BinaryIO, _TableAsCsv(rows, columns))), str(query)


def _query(table: str, columns: Sequence[str]) -> "sqlalchemy.Select[Any]":
    import sqlalchemy  # only where records come from a database

    schema, _, name = table.rpartition(".")
    chosen: list[sqlalchemy.ColumnClause[Any]] = [sqlalchemy.column(c) for c in columns]
    of = sqlalchemy.table(name, *chosen, schema=schema or None)
    return sqlalchemy.select(of).order_by(*of.columns)


def _url(known: Connection) -> "sqlalchemy.URL":
    import sqlalchemy

    if known.kind == "sqlite":
        return sqlalchemy.URL.create("sqlite", database=known.host or f"/{known.schema}")
    options = {key: str(value) for key, value in known.extra.items() if key.startswith("ssl")}
    return sqlalchemy.URL.create(
        _DRIVERS[known.kind],
        known.login or None,
        known.password or None,
        # A host that is a path is the folder of a socket, which only fits among the options.
        None if os.path.isabs(known.host) else known.host or None,
        known.port,
        known.schema or None,
        options | ({"host": known.host} if os.path.isabs(known.host) else {}),
    )


def _rows(
    known: Connection, table: str, columns: Sequence[str], query: "sqlalchemy.Select[Any]", spec: RecordsSpec
) -> Iterator[Sequence[Any]]:
    import sqlalchemy
    from sqlalchemy.exc import NoSuchTableError, OperationalError, SQLAlchemyError

    schema, _, name = table.rpartition(".")
    where = f"{spec.named_in}: table {table!r} of connection {known.name!r}"
    variable = variable_of(known.name)
    try:
        arguments = {"connect_timeout": _CONNECT_SECONDS} if known.kind == "postgres" else {}
        engine = sqlalchemy.create_engine(_url(known), poolclass=sqlalchemy.NullPool, connect_args=arguments)
        with engine.connect() as link, link.begin():
            if known.kind != "sqlite":
                link.execute(sqlalchemy.text(_READ_ONLY))
            present = [c["name"] for c in sqlalchemy.inspect(link).get_columns(name, schema=schema or None)]
            if missing := [c for c in columns if c not in present]:
                raise BadInput(f"{where} has no column {missing[0]!r}; name a table or view with {', '.join(columns)}.")
            for batch in link.execution_options(stream_results=True).execute(query).partitions(_ROWS_AT_ONCE):
                yield from (tuple(row) for row in batch)
    except NoSuchTableError:
        raise BadInput(f"{where} does not exist; name a table or view that the connection may read.") from None
    except OperationalError:  # the message may hold the address
        raise SourceAway(
            f"{where} cannot be reached; check {variable}, or run again when the database is back."
        ) from None
    except (SQLAlchemyError, ImportError) as error:
        kind = type(error).__name__  # the message may hold the address or rows
        raise BadInput(f"{where} cannot be read ({kind}); check {variable}, its driver and its rights.") from None


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
