"""How all displays look: colours, panels, legends, texts, and the rows and lines of groups."""
