"""DER as certificates, revocation lists and VOMS attributes are made of (X.690)."""
