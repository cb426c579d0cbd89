"""The API's methods, one group a file, and the requests and replies behind them."""
