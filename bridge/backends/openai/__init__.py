"""Servers that speak OpenAI's chat completions: OpenAI, vLLM, Ollama, gateways, DB-GPT's model API, HolySheep."""
