"""The bridge under load, as a process of its own between stand-ins in processes of their own. `make bench` prints the figures."""
