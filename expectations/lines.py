"""Every line that was read is accounted for, and few enough of them were not understood.

Both limits are taken to the letter, for small files too: one bad line in a file of ten is over 5 %, and the refusal
names the file, so that a person looks at the line before a figure goes out.
"""

import polars as pl

from expectations.gx import Check, Count, run_checks, run_counts
from expectations.wording import allowed, counted, distinct_names, number, share
from transforms.gate_limits import GateLimits

FATES = ("parsed", "ignored", "quarantined")
_READ_AGAIN = "Remove the run's folder and run again; if it stays, report it as a bug with the file's name."
_LOOK = "Look at the reasons in quarantine.parquet; name the right `format:` for the file, or leave out what is no log."


def gates_on_lines(inputs: pl.DataFrame, line_counts: pl.DataFrame, limits: GateLimits) -> pl.DataFrame:
    """Return GATES rows on the lines of all log files (INPUTS and LINE_COUNTS)."""
    files = count_lines(inputs, line_counts)
    total = files.select(pl.lit("all log files").alias("file"), pl.col("read", *FATES, "accounted").sum())
    rows = pl.concat([files, total], how="diagonal").filter(pl.len() > 1)
    read, quarantined = int(files["read"].sum()), int(files["quarantined"].sum())
    part = f"{number(quarantined)} of {counted(read, 'line')}"
    nothing = "" if read else "no line was read from any log file: nothing to compare"
    lines_add_up = Check(
        gate="lines_add_up",
        subject="log files",
        severity="fail",
        expectation="ExpectColumnPairValuesToBeEqual",
        arguments={"column_A": "read", "column_B": "accounted"},
        observed=_sum_in_words(files),
        limit="read = parsed + ignored + quarantined, in each file and in all (fixed)",
        remedy=_READ_AGAIN,
        shown_by="file",
        nothing=nothing,
    )
    overall = Count(
        gate="quarantined_share",
        subject="all log lines",
        severity="fail",
        value=quarantined / max(read, 1),
        maximum=limits.quarantined_share,
        observed=f"{part} were not understood ({share(quarantined / max(read, 1))})",
        limit=allowed(f"at most {share(limits.quarantined_share)} of all lines", limits, "quarantined_share"),
        remedy=_LOOK,
        nothing=nothing,
    )
    most = f"at most {share(limits.quarantined_share_of_a_file)} of any one file's lines"
    of_a_file = Count(
        gate="quarantined_share_of_a_file",
        subject="log files",
        severity="fail",
        value=dict(files.select("file", "share").iter_rows()),
        maximum=limits.quarantined_share_of_a_file,
        observed=_worst_in_words(files),
        limit=allowed(most, limits, "quarantined_share_of_a_file"),
        remedy=_LOOK,
        nothing=nothing,
    )
    return pl.concat([run_checks(rows, [lines_add_up]), run_counts([overall, of_a_file])])


def count_lines(inputs: pl.DataFrame, line_counts: pl.DataFrame) -> pl.DataFrame:
    """Return one row per log file read (copies of one content are one): file, read, each fate, accounted, share."""
    logs = (
        inputs.filter((pl.col("kind") == "log") & ~pl.col("is_duplicate"))
        .unique("source_id", keep="first", maintain_order=True)
        .select("source_id", "uri", read="lines")
    )
    logs = logs.with_columns(pl.Series("file", distinct_names(logs["uri"].to_list()), pl.String))
    fates = line_counts.group_by("source_id").agg(
        pl.col("lines").filter(pl.col("fate") == fate).sum().alias(fate) for fate in FATES
    )
    return (
        logs.join(fates, on="source_id", how="left", validate="1:1")
        .with_columns(pl.col(FATES).fill_null(0))
        .with_columns(pl.sum_horizontal(FATES).alias("accounted"))
        .with_columns(_share())
        .drop("source_id", "uri")
    )


def _share() -> pl.Expr:
    """Of an empty file's lines none was set aside."""
    return pl.when(pl.col("read") > 0).then(pl.col("quarantined") / pl.col("read")).otherwise(0.0).alias("share")


def _sum_in_words(files: pl.DataFrame) -> str:
    sums = {fate: int(files[fate].sum()) for fate in FATES}
    parts = ", ".join(f"{number(sums[fate])} {fate}" for fate in FATES)
    return f"{counted(int(files['read'].sum()), 'line')} read from {counted(files.height, 'file')}: {parts}"


def _worst_in_words(files: pl.DataFrame) -> str:
    if files.is_empty():
        return "no log file"
    worst = files.sort("share", descending=True).row(0, named=True)
    part = f"{number(worst['quarantined'])} of {counted(worst['read'], 'line')}"
    return f"{worst['file']} has the largest share not understood: {part} ({share(worst['share'])})"
