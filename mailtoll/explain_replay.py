"""The ladder of SQL files, run again over no more than the events that concern one subject.

Which events those are is found by walking: from the lines that name one of the subject's addresses to their queue
files, and on to every queue file that hands to them, takes over from them or bears the same Message-ID, until nothing
new is found. What the ladder learns from the log as a whole (in which order the files come, when the queue was listed,
which next hops hand mail back, which hosts lost lines) is not learnt again from the part, but taken from the run.
Every queue file goes the long way (see 09_plain.sql), as every leg of it is to be shown.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from expectations.tables import EVENTS
from mailtoll.warehouse import Warehouse, write_parquet
from transforms import impact
from transforms.impact import KEPT, SQL_FOLDER, STITCH
from transforms.settings import Settings

# Tables that only the whole log can tell: cheap to make again from all events, or kept by the step that stitches.
_OF_ALL_EVENTS = ("sources", "listings")
_KEPT = ("hop_relays", "torn", "habits", "handing_hosts")
_LADDER_OF_CHAINS = STITCH[: STITCH.index("30_chains.sql") + 1]
# Longer chains of legs than this are no mail's way; the walk ends there.
_MOST_ROUNDS = 50


def keep_context(db: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> None:
    """Keep what only the whole log can tell, after the ladder has run over it."""
    for name in _KEPT:
        write_parquet(db.sql(f"SELECT * FROM {name}").pl(), warehouse.table(name))  # noqa: S608 - names are our own


def replay(
    db: duckdb.DuckDBPyConnection,
    event_files: Sequence[Path],
    records: pl.DataFrame,
    settings: Settings,
    context: dict[str, pl.DataFrame],
    names: Sequence[str],
) -> None:
    """Fill the ladder's tables, from `events` to `deliveries`, for the messages that name one of `names`.

    `names` are addresses in lower case. `context` holds the kept tables; one that is missing is made from the part.
    """
    if event_files:
        db.read_parquet([str(f) for f in event_files]).create_view("all_events", replace=True)
    else:
        db.register("all_events", EVENTS.empty().to_arrow())
    impact.declare(db, records, settings)
    asked = pl.DataFrame({"subject_name": list(names)}, schema={"subject_name": pl.String})
    db.register("subject_names", asked.to_arrow())
    db.execute("CREATE OR REPLACE VIEW events AS SELECT * FROM all_events")
    db.execute("SET VARIABLE is_told_in_full = true")
    run_statements(db, _LADDER_OF_CHAINS, only=_OF_ALL_EVENTS)
    _walk(db)
    for name, frame in context.items():
        db.register(f"kept_{name}", frame.to_arrow())
        db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM kept_{name}")  # noqa: S608 - names are our own
    run_statements(db, STITCH, without=(*_OF_ALL_EVENTS, *context))


def kept_context(warehouse: Warehouse) -> dict[str, pl.DataFrame]:
    """Return what `keep_context` kept in a run's folder; nothing where the run was refused before that."""
    paths = {name: warehouse.table(name) for name in _KEPT}
    return {name: pl.read_parquet(path) for name, path in paths.items() if path.exists()}


def run_statements(
    db: duckdb.DuckDBPyConnection, files: Sequence[str], *, only: Sequence[str] = (), without: Sequence[str] = ()
) -> None:
    """Run SQL files of the ladder statement by statement: all of them, only those that make some tables, or all but."""
    for name in files:
        for statement in db.extract_statements((SQL_FOLDER / name).read_text(encoding="utf-8")):
            table = table_of(statement.query)
            if table in only if only else table not in without:
                db.execute(statement)
        if name in KEPT and not only:  # what concerns one subject is short, and one share
            view, made = KEPT[name]
            db.execute(f"CREATE OR REPLACE VIEW {made} AS FROM {view}")


def table_of(query: str) -> str | None:
    """Return the table or view that a statement of the ladder makes; None for one that makes another thing."""
    made = re.search(r"^CREATE OR REPLACE (?:TABLE|VIEW) (\w+)", query, re.MULTILINE)
    return made[1] if made else None


def _walk(db: duckdb.DuckDBPyConnection) -> None:
    """Leave in `events` the events of every queue file that the subject's messages passed through."""
    db.execute(
        """
        CREATE OR REPLACE MACRO is_subject(name) AS
            name IN (SELECT subject_name FROM subject_names)
            OR (contains(name, '+') AND without_tag(name) IN (SELECT subject_name FROM subject_names));
        CREATE OR REPLACE TABLE known_ids (queue_id VARCHAR);
        CREATE OR REPLACE TABLE known_message_ids (message_id VARCHAR);
        CREATE OR REPLACE TABLE new_message_ids (message_id VARCHAR);
        CREATE OR REPLACE TABLE new_ids AS
        SELECT DISTINCT queue_id
        FROM all_events
        WHERE queue_id IS NOT NULL AND (is_subject(recipient) OR is_subject(original_recipient));
        CREATE OR REPLACE TABLE gathered AS SELECT * FROM all_events LIMIT 0;
        CREATE OR REPLACE VIEW events AS SELECT * FROM gathered;
        """
    )
    impact.declare_share(db)
    for _ in range(_MOST_ROUNDS):
        found = db.sql("SELECT (SELECT count(*) FROM new_ids) + (SELECT count(*) FROM new_message_ids)").fetchall()
        if not found[0][0]:
            break
        db.execute(_GATHER)
        run_statements(db, _LADDER_OF_CHAINS, without=_OF_ALL_EVENTS)
        db.execute(_NEXT)
    db.execute("DROP TABLE new_ids; DROP TABLE new_message_ids")


# Lines of the new queue files, lines that speak of them, and lines with the new Message-IDs.
_GATHER = """
    CREATE OR REPLACE TABLE gathered AS
    SELECT * FROM gathered
    UNION
    SELECT *
    FROM all_events
    WHERE queue_id IN (SELECT queue_id FROM new_ids)
       OR related_queue_id IN (SELECT queue_id FROM new_ids)
       OR message_id IN (SELECT message_id FROM new_message_ids);
    INSERT INTO known_ids SELECT queue_id FROM new_ids;
    INSERT INTO known_message_ids SELECT message_id FROM new_message_ids;
"""

# Reached are the legs of messages that name the subject; an id that is reused stands for other messages' legs too.
_NEXT = """
    CREATE OR REPLACE TABLE reached AS
    WITH roots AS (
        SELECT DISTINCT root
        FROM leg_recipients JOIN chains USING (leg)
        WHERE is_subject(recipient) OR is_subject(original_recipient)
    )
    SELECT legs.* FROM roots JOIN chains USING (root) JOIN legs USING (leg);
    CREATE OR REPLACE TABLE new_message_ids AS
    SELECT DISTINCT message_id FROM reached
    WHERE message_id <> '' AND message_id NOT IN (SELECT message_id FROM known_message_ids);
    CREATE OR REPLACE TABLE new_ids AS
    SELECT DISTINCT queue_id
    FROM (
        SELECT facts.related_queue_id AS queue_id FROM facts JOIN reached USING (host, queue_id, lifetime)
        UNION ALL
        SELECT gathered.queue_id FROM gathered JOIN reached ON reached.queue_id = gathered.related_queue_id
        UNION ALL
        SELECT gathered.queue_id FROM gathered JOIN reached USING (message_id)
    )
    WHERE queue_id IS NOT NULL AND queue_id NOT IN (SELECT queue_id FROM known_ids);
"""
