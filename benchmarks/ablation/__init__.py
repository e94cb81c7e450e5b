"""The accuracy, calibration and time of the classifier without each of its parts."""
