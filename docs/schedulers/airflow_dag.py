"""The nightly sync as a DAG for Airflow 3, with the provider `standard`; put it into the folder of your DAGs."""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="provisioner_sync",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # Two nights cannot overlap anyway: the second ends with exit 2.
    max_active_runs=1,
) as dag:
    BashOperator(
        task_id="sync",
        # The key stands in a file that the configuration names: what is given here can be read in the web interface.
        bash_command="provisioner sync /srv/hr/hr.csv -c /etc/provisioner/provisioner.toml -q --log-format json",
        cwd="/var/lib/provisioner",
        append_env=True,
        # Done, with rejected or failed rows (1), or out of time (5): trying again helps against neither, and neither
        # is a failed night. An alert looks at how often that happens.
        skip_on_exit_code=[1, 5],
        # Any other code is tried again. Where that is of no use (2, 3) it does no harm: nothing is changed.
        retries=3,
        retry_delay=timedelta(minutes=20),
        # More than max_duration: that one stops in good order. A task that is ended gets a SIGTERM, which does as well.
        execution_timeout=timedelta(hours=5),
    )
