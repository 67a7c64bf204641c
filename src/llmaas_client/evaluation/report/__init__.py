"""What an evaluation found, as a page for people: in a terminal, as HTML, as Markdown."""
