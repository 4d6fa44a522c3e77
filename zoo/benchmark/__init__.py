"""The benchmark as a library: configuration, runs, sweeps, tables, analysis, report."""
