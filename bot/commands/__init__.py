"""One module per command, loaded when it is called or listed; heavy parts are loaded only when it runs."""
