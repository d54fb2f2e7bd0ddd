"""A nightly sync for each tenant as one mapped task for Airflow 3, with the provider `standard`.

Each tenant has a config of its own (its app, its key's file, its state), a roster, and an end of its own: what goes
wrong for one is tried again for that one, and the others do not notice.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

TENANTS = ["acme", "zeta"]

with DAG(
    dag_id="provisioner_tenants",
    schedule="30 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
) as dag:
    BashOperator.partial(
        task_id="sync",
        cwd="/var/lib/provisioner",
        append_env=True,
        # What the codes mean is told in airflow_dag.py.
        skip_on_exit_code=[1, 5],
        retries=3,
        retry_delay=timedelta(minutes=20),
        execution_timeout=timedelta(hours=5),
        # A core carries about fifteen apps at the default limit. Tenants that share an app share its rate: give those
        # to one `provisioner fleet`, which hands out their slots.
        max_active_tis_per_dagrun=16,
    ).expand(
        # Keys stand in the files that the configs name: what is given here can be read in the web interface.
        bash_command=[
            f"provisioner sync /srv/hr/{tenant}.csv -c /etc/provisioner/{tenant}.toml -q --log-format json"
            for tenant in TENANTS
        ],
    )
