"""Read models, by what they are about; the packages are named as those of `core.services`."""
