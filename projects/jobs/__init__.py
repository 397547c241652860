"""What a job is and does: model, store, scheduling, the process backend, the engine, its HTTP parts."""
