"""The value of each part of the model, in accuracy, calibration and fit time."""
