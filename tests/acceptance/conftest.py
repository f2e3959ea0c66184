"""What all of these files need."""

from tests.support.any_disk import any_disk as any_disk
