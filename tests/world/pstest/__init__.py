"""Google's own fake of Pub/Sub, as a judge of ours."""
