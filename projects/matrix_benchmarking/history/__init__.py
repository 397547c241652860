"""Where KPIs of earlier runs are kept: a folder, OpenSearch, Horreum."""
