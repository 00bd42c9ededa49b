"""What people use besides messages, and are answered at once where Slack lets us: commands, forms, the Home tab, suggestions."""
