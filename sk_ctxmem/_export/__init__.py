"""A fitted model as ONNX graphs and data, which are used without torch and without this package."""
