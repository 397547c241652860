"""Tell the hub that this satellite is there."""
