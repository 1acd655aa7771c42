# Keys and the files of settings, which an operator puts there once. Functions mount it and can't write.
resource "google_storage_bucket" "data" {
  name                        = "${var.project}-carapulse-data"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  versioning {
    enabled = true
  }
  depends_on = [google_project_service.used]
}

resource "google_storage_bucket" "blobs" {
  name                        = "${var.project}-carapulse-blobs"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  versioning {
    enabled = true
  }
  soft_delete_policy {
    retention_duration_seconds = var.blobs_kept_days * 86400
  }
  # A blob that was put again leaves an older generation of the same content.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = var.blobs_kept_days
      with_state                 = "ARCHIVED"
    }
  }
  depends_on = [google_project_service.used]
}

# Their values are put in by hand: a password that Terraform knows lies in its state.
resource "google_secret_manager_secret" "database" {
  for_each  = toset(["url", "owner-url"])
  secret_id = "carapulse-database-${each.key}"
  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
  depends_on = [google_project_service.used]
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "carapulse"
  location      = var.region
  format        = "DOCKER"
  docker_config {
    immutable_tags = true
  }
  depends_on = [google_project_service.used]
}
