"""MessagePort over threads, processes and sockets."""
