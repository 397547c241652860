"""The workload `sqlite_bench.sqlite`: transactions that insert rows."""
