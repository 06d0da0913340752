"""Many photos: where they lie, what runs them, what they share, going on after a kill.

    Request ──locate──▶ photos and where results go ──colorize──▶ Local or Ray ──▶ Summary

Where photos lie (a list, a folder, a tar file, a store by its URL) and what runs them (`Local` or
`Ray`) are two independent choices.
"""

from tintype.batch.album import measure_folder
from tintype.batch.entry import colorize, watch
from tintype.batch.one_photo import Summary
from tintype.batch.request import Local, OutputOptions, Ray, Reference, Request

__all__ = [
    "Local",
    "OutputOptions",
    "Ray",
    "Reference",
    "Request",
    "Summary",
    "colorize",
    "measure_folder",
    "watch",
]
