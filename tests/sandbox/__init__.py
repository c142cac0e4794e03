"""Tests of the sandbox, all of them over HTTP on the loopback interface."""
