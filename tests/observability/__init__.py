"""Tests of trioredis.observability."""
