"""`report.html`: for the analyst who must defend each figure. One file, opens offline, fetches nothing."""

from reports import beside, evidence, ordinary, story, what_was_read, words
from reports.cells import headline_cell
from reports.charts.assumptions import assumptions_chart
from reports.charts.causes import causes_chart
from reports.charts.certainty import certainty_chart
from reports.charts.claims import claims_chart
from reports.charts.delays import delays_chart
from reports.charts.hours import hours_chart
from reports.charts.late_messages import late_messages_chart
from reports.charts.late_share import late_share_chart
from reports.charts.people import ladder_chart, thresholds_chart
from reports.charts.specification import specification_chart
from reports.charts.survival import survival_chart
from reports.charts.timeline import timeline_charts
from reports.faults import faults_table
from reports.glossary import GLOSSARY
from reports.grid import grid
from reports.ladder import WORKING_HOURS, ladder_table
from reports.methodology import rules
from reports.page import figures_json, render
from reports.publication import Publication
from reports.redress import redress_table
from reports.segments import segment_counts
from reports.verdicts import verdicts
from reports.vintages import history_section


def analyst_report(p: Publication) -> str:
    """Return the page; for a refused run the refusal, with its reasons, what is missing, and no headline figure."""
    headline = headline_cell(p)
    if headline is None:
        return _refusal(p)
    answer = [c for c in (claims_chart(p),) if c]
    happened = timeline_charts(p)
    who = [c for c in (ladder_chart(p), thresholds_chart(p), hours_chart(p), late_messages_chart(p)) if c]
    long = [c for c in (delays_chart(p), survival_chart(p)) if c]
    certain = (causes_chart(p), assumptions_chart(p), certainty_chart(p), specification_chart(p), late_share_chart(p))
    sure = [c for c in certain if c]
    return render(
        "report.html.j2",
        **_common(p),
        headline=headline,
        definition=story.headline_sentence(p, headline),
        scope=story.scope_sentences(p),
        range=story.range_sentence(headline),
        ordinary=story.ordinary_sentence(p, headline),
        ordinary_length=story.ordinary_length(p),
        ordinary_is_short=story.is_ordinary_short(p),
        mail=story.mail_sentence(p),
        joined=story.joined_sentence(p),
        verdicts=verdicts(p),
        segments=segment_counts(p),
        recount=evidence.recount_sentence(p),
        doubts=story.doubts(p),
        baseline=ordinary.baseline_table(p),
        ordinary_windows=ordinary.windows_table(p),
        windows=beside.windows_table(p),
        uptime=beside.uptime_table(p),
        refusals=beside.refusals_table(p),
        faults=faults_table(p),
        redress=redress_table(p),
        scales=beside.scales_table(p),
        scale_notes=beside.scale_notes(p),
        charts={"answer": answer, "happened": happened, "who": who, "long": long, "sure": sure},
        figures=figures_json([*answer, *happened, *who, *long, *sure]),
        ladder=ladder_table(p),
        working_hours=WORKING_HOURS,
        rules=rules(),
        grid=grid(p),
        sql=p.sql,
    )


def _refusal(p: Publication) -> str:
    no_cell = () if p.is_refused else ("The grid has no cell for the headline’s definition.",)
    return render(
        "refusal.html.j2", **_common(p), reasons=[*evidence.reasons(p), *no_cell], remedies=evidence.remedies(p)
    )


def _common(p: Publication) -> dict[str, object]:
    zone, window = p.settings.timezone, p.settings.window
    gates = evidence.gates_table(p)
    return {
        "p": p,
        "glossary": GLOSSARY,
        "history": history_section(p),
        "status_sentence": story.status_sentence(p),
        "window": words.span(window.start, window.end, zone),
        "as_of": words.instant(p.settings.as_of, zone),
        "gates": gates,
        "gate_keys": [{"verdict": row[0].value} for row in gates.rows] if gates else [],
        "gates_sentence": evidence.gates_sentence(p),
        "findings": evidence.findings_table(p),
        "lines": what_was_read.lines_table(p),
        "set_aside": what_was_read.set_aside_table(p),
        "outcomes": what_was_read.outcomes_table(p),
        "inputs": what_was_read.inputs_table(p),
        "gone": what_was_read.gone_table(p),
        "corrections": evidence.corrections_table(p),
    }
