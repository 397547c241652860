"""Jobs as processes of this machine, outliving the server that started them."""
