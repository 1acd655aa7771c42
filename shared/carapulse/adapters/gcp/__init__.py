"""Google's services, through their own clients, which find credentials by themselves."""
