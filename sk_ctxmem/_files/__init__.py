"""Archive files of JSON and arrays, and a codec of objects. Imports no room and no torch."""
