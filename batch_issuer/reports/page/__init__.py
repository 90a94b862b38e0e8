"""The report as one HTML file that opens without network, and is complete without script but for the long list.

The room hides jinja2 and the data of the page's script. Templates, style and script lie in `templates/`.

- `page`: what the templates get, and the page as text
- `exceptions`: what needs a person, section by section, cut to what a page can hold
- `listing`: all documents for the script, out of `reports/columns.py`
- `pictures`: where the bars stand
"""
