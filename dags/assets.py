"""Every asset, in flow order.

    ingest_mail_logs          pulls and parses log files        → mail_log_events
    ingest_customer_records   pulls the records                 → customer_records
    measure_impact            runs when both are there          → impact
    publish_reports           runs when the impact is measured  → report

Each event says which run it belongs to (incident file, run folder), how many rows it stands for and their digest.
Its partition key names the run, so that two incidents in flight at once are never mixed up: `measure_impact` waits
for the logs *and* the records of the same run.
"""

from airflow.sdk import Asset

mail_log_events = Asset("mail_log_events", extra={"grain": "one row per delivery fact in a log"})
customer_records = Asset("customer_records", extra={"grain": "one row per address, mailbox and span of validity"})
impact = Asset("impact", extra={"grain": "one row per definition and segment: the full grid"})
report = Asset("report", extra={"grain": "one report per run folder"})

FLOW = (mail_log_events, customer_records, impact, report)
