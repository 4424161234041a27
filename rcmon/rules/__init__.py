"""WMCore's rules, as pure functions of what is known: what is taken, what is submitted, what should be."""
