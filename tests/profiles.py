"""Compute profiles of a team: two machines of its own, and two kinds on a cluster."""

PROFILES = """\
schema_version: 1
currency: EUR
profiles:
  local: {kind: local, price: 0.5}
  workstation: {kind: local, gpus: 2, price: 2.0, bounds: {deadline: PT4H, cost: 5.0}}
  gpu:
    kind: kuberay
    context: team
    namespace: training
    image: registry.example/training@sha256:DIGEST
    service_account: acts-training
    leases: s3://bucket/leases
    head: {cpus: 2, memory: 8Gi, price: 0.25}
    worker: {cpus: 8, memory: 32Gi, gpus: 1, price: 1.0, spot_price: 0.4}
    bounds: {workers: 4, deadline: PT6H, cost: 50.0}
  small:
    kind: kuberay
    namespace: training
    image: registry.example/training@sha256:DIGEST
    service_account: acts-training
    leases: s3://bucket/leases
    head: {cpus: 2, memory: 8Gi, price: 0.25}
    worker: {cpus: 8, memory: 32Gi, gpus: 1, price: 0.5}
    bounds: {workers: 2, deadline: PT1H}
""".replace("DIGEST", "0" * 64)
