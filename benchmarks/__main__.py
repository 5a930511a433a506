"""Every figure in one table: ``python -m benchmarks [--quick] [--json]``."""

from __future__ import annotations

from benchmarks import (
    crm_calls,
    decisions,
    end_to_end,
    fanout,
    idle,
    ingest,
    latency,
    paced,
    plays,
    simulate,
)
from benchmarks.figures import main

if __name__ == "__main__":
    main(
        idle.measure,
        latency.measure,
        end_to_end.measure,
        ingest.measure,
        decisions.measure,
        plays.measure,
        fanout.measure,
        simulate.measure,
        crm_calls.measure,
        paced.measure,
    )
