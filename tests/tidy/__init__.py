"""What must not rot in silence: layers, dead files, lists that repeat what the tree says."""
