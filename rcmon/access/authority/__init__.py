"""The CAs and their own rules: revocation lists, signing policies, VOMS."""
