"""Servers of databases on the loopback interface, each with files of its own."""
