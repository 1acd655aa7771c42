"""HTTP: one application from the areas' routes, and everything that must hold before and after each of them."""
