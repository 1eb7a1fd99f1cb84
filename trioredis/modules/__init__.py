"""The supervisor's side of modules, which run in processes of their own."""
