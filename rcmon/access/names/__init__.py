"""Distinguished names: compared as what they mean, read and written in every form grid software uses."""
