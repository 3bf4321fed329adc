"""Graph components of ours that `config.yml` names."""
