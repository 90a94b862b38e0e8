"""The reconciliation as a person gets it: a page, a workbook, and a workbook to correct. No total is computed here."""
