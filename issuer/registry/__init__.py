"""Docker registries: who may do what there, told in tokens that they check by certificates or keys."""
