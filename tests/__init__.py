"""Tests of trioredis; the folders mirror the source."""
