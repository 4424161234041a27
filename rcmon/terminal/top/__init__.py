"""`rcmon-cli top`: a screen that lives: what is fed to it, what is wanted of it, what it shows."""
