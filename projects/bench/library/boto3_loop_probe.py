"""What one writes first: boto3's upload_file in a loop."""

from __future__ import annotations

import os
import sys


def main(root: str, bucket: str, prefix: str) -> None:
    """Upload what is below `root`, one file after the other."""
    import boto3

    client = boto3.client("s3")
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            client.upload_file(path, bucket, f"{prefix}/{os.path.relpath(path, root)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
