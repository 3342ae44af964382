"""Whether a rotation starts: due-ness, admission, forecast, and the agenda that puts it together with the protocol."""
