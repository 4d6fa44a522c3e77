"""The web page: a photo in, a coloured photo out, in a browser. Only `page` and `server` know Gradio."""
