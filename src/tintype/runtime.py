"""ONNX Runtime, told not to report home: the one place that it is imported at.

It reads the variable once, when it is imported; calling its own function afterwards is too late: a
device's id lies in the home folder by then, and a host for telemetry has been looked up.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

__all__ = ["ort"]
