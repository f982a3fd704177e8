"""What all HTTP backends share: client, deadlines, retries, errors, event streams. Knows no API."""
