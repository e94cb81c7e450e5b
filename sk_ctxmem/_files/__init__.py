"""Files and plain data: an archive of arrays and JSON, and the codec of objects. Knows no model."""
