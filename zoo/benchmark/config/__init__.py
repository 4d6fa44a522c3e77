"""What can be asked for: options, plug-ins, and the checked specification of a run."""
