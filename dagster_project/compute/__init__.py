"""What a lease asks for, its Kubernetes manifest, the ledger of leases, and the reaper."""
