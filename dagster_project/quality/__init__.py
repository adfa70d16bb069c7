"""deepchecks behind our types. deepchecks is AGPL-3.0: it runs in CI and in pipelines, never in the serving process."""
