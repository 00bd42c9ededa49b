"""Model text made safe and right for chat: one parser, one model of blocks and spans, tail repair, what writers share.

The dialects themselves live with their platforms (`adapters/*/dialect.py`); where to cut is `bridge.splitting`.
"""
