"""The parts of the page that `benchmarks/report.py` writes: each module gathers the data of one section.

page.html.j2, style.css and *.js make a page of them; scripts are joined in the order of `render.SCRIPTS`.
"""
