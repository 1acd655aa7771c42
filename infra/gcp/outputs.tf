output "addresses" {
  description = "where each service is"
  value       = { for name, each in google_cloud_run_v2_service.function : name => each.uri }
}

output "images" {
  description = "where to push the image"
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}

output "data" {
  description = "the bucket for keys and files of settings"
  value       = google_storage_bucket.data.url
}

output "database" {
  description = "the database's address in the network"
  value       = google_sql_database_instance.carapulse.private_ip_address
}
