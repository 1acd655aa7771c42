resource "google_compute_network" "carapulse" {
  name                    = "carapulse"
  auto_create_subnetworks = false
  depends_on              = [google_project_service.used]
}

resource "google_compute_subnetwork" "carapulse" {
  name                     = "carapulse"
  network                  = google_compute_network.carapulse.id
  region                   = var.region
  ip_cidr_range            = "10.20.0.0/22"
  private_ip_google_access = true
}

resource "google_compute_global_address" "services" {
  name          = "carapulse-services"
  network       = google_compute_network.carapulse.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.carapulse.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]
}

resource "google_sql_database_instance" "carapulse" {
  name                = "carapulse"
  region              = var.region
  database_version    = "POSTGRES_17"
  deletion_protection = true

  settings {
    tier                        = var.database_tier
    edition                     = "ENTERPRISE"
    availability_type           = "REGIONAL"
    disk_autoresize             = true
    deletion_protection_enabled = true

    ip_configuration {
      ipv4_enabled    = false
      private_network = google_compute_network.carapulse.id
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7
    }
  }

  depends_on = [google_service_networking_connection.services]
}

resource "google_sql_database" "carapulse" {
  name     = "carapulse"
  instance = google_sql_database_instance.carapulse.name
}
