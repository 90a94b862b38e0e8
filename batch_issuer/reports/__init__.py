"""The reconciliation as a person gets it: a page, a workbook, and a workbook to correct. Nothing here computes a total."""
