"""Random commands to our server and to a stock redis-server, whose replies must be the same."""
