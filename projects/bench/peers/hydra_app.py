"""The smallest Hydra application that reads a configuration file."""

from __future__ import annotations

import hydra  # type: ignore[import-not-found]


@hydra.main(version_base=None, config_path="hydra_app", config_name="config")  # type: ignore[untyped-decorator]
def main(config: object) -> None:
    """Do nothing with the configuration."""


if __name__ == "__main__":
    main()
