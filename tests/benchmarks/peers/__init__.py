"""Other servers, each a program for an environment of its own: ``python PROGRAM MODEL.onnx PORT`` in an empty folder.

All run the same onnxruntime with the same settings; what is measured is what they put around it.
"""
