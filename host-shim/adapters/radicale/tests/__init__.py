"""The adapter's own tests. With Radicale installed: ``python -m unittest discover -s tests -t .``"""
