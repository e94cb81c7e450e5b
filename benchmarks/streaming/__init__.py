"""A fit of millions of rows from Parquet files."""
