"""What people use besides messages, and are answered within three seconds: commands, forms, buttons."""
