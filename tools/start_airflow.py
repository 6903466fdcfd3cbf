"""Start a real Airflow with the DAGs ready to trigger, and say where to click. Ctrl-C stops it.

python -m tools.start_airflow [--port 8080] [--home .airflow/server]
"""

import argparse
import signal
import sys
import time
from pathlib import Path

from tools.local_airflow import USER, LocalAirflow

PROJECT = Path(__file__).resolve().parents[1]

GUIDE = """
Airflow is up:  {url}
  user      {user}
  password  {password}

1. Open Dags, pick ingest_mail_logs, press Trigger. The form asks for the incident file and the run folder;
   as it stands it takes the recorded flood.
2. Do the same with ingest_customer_records, with the same two answers.
3. measure_impact and then publish_reports start by themselves when their assets are there. Assets > report shows
   the headline and where the report is. A run that a quality gate refused ends red, with its reasons.

Logs and database: {home}.  Ctrl-C stops it.
"""


def main() -> int:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(description="Start a local Airflow with the DAGs.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--home", type=Path, default=PROJECT / ".airflow" / "server", help="Airflow's own folder")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    print("Starting Airflow; the first time it takes half a minute.", flush=True)
    airflow = LocalAirflow(options.home, options.port)
    try:
        with airflow:
            print(GUIDE.format(url=airflow.url, user=USER, password=airflow.password, home=airflow.home), flush=True)
            while True:
                time.sleep(1)
                airflow.check_alive()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
