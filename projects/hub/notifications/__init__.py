"""Mail, webhooks, Slack and GitHub comments on what happened."""
