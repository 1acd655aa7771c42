# Each function is what its service.yml says: nothing of it is written here a second time.
locals {
  folder = "${path.module}/../../functions"
  told = {
    for file in fileset(local.folder, "*/service.yml") :
    dirname(file) => yamldecode(file("${local.folder}/${file}"))
  }
  services = { for name, each in local.told : name => each.spec.template.spec if each.kind == "Service" }
  jobs     = { for name, each in local.told : name => each.spec if each.kind == "Job" }

  # Which function works off which queue, and which are called by Google alone.
  fed = {
    planning      = "planning"
    approvals     = "approvals"
    collection    = "collection"
    execution     = "executions"
    notifications = "notifications"
  }
  pushed = setunion(keys(local.fed), ["scheduler"])

  data = "/var/lib/carapulse"
  settings = merge({
    CARAPULSE_DATA_DIR        = local.data
    CARAPULSE_ISSUERS_FILE    = "${local.data}/issuers.yaml"
    CARAPULSE_BLOBS_BUCKET    = "gs://${google_storage_bucket.blobs.name}"
    CARAPULSE_QUEUE           = "pubsub"
    CARAPULSE_QUEUE_ADDRESSES = jsonencode({ for queue, topic in google_pubsub_topic.queue : queue => topic.id })
  }, var.settings)
  audiences = { for name in local.pushed : name => "https://${name}.carapulse.${var.project}.internal" }
}

# Cloud Run's own check of callers is off: it would take the signature from the tokens that the functions verify.
resource "google_cloud_run_v2_service" "function" {
  for_each             = local.services
  name                 = "carapulse-${each.key}"
  location             = var.region
  ingress              = contains(local.pushed, each.key) ? "INGRESS_TRAFFIC_INTERNAL_ONLY" : "INGRESS_TRAFFIC_ALL"
  invoker_iam_disabled = true
  deletion_protection  = true

  template {
    service_account                  = google_service_account.function[each.key].email
    timeout                          = "${each.value.timeoutSeconds}s"
    max_instance_request_concurrency = each.value.containerConcurrency
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"

    scaling {
      min_instance_count = 0
      max_instance_count = 10
    }

    containers {
      image = var.image
      args  = each.value.containers[0].args

      ports {
        container_port = each.value.containers[0].ports[0].containerPort
      }

      resources {
        limits            = { cpu = "1", memory = "1Gi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(local.settings, contains(local.pushed, each.key) ? {
          CARAPULSE_PUSH          = "google"
          CARAPULSE_PUSH_AUDIENCE = local.audiences[each.key]
          CARAPULSE_PUSH_ACCOUNT  = google_service_account.push.email
        } : {})
        content {
          name  = env.key
          value = env.value
        }
      }

      env {
        name = "CARAPULSE_DATABASE_URL"
        value_source {
          secret_key_ref {
            secret  = google_secret_manager_secret.database["url"].secret_id
            version = "latest"
          }
        }
      }

      volume_mounts {
        name       = "data"
        mount_path = local.data
      }
    }

    volumes {
      name = "data"
      gcs {
        bucket        = google_storage_bucket.data.name
        read_only     = true
        mount_options = ["uid=10001", "gid=10001", "file-mode=400", "dir-mode=500"]
      }
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"
      network_interfaces {
        network    = google_compute_network.carapulse.id
        subnetwork = google_compute_subnetwork.carapulse.id
      }
    }
  }

  depends_on = [
    google_project_service.used,
    google_secret_manager_secret_iam_member.database_url,
    google_storage_bucket_iam_member.data,
  ]
}

resource "google_cloud_run_v2_job" "function" {
  for_each            = local.jobs
  name                = "carapulse-${each.key}"
  location            = var.region
  deletion_protection = true

  template {
    template {
      service_account       = google_service_account.function[each.key].email
      max_retries           = each.value.backoffLimit
      timeout               = "900s"
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"

      containers {
        image = var.image
        args  = each.value.template.spec.containers[0].args

        dynamic "env" {
          for_each = local.settings
          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = { CARAPULSE_DATABASE_URL = "url", CARAPULSE_DATABASE_OWNER_URL = "owner-url" }
          content {
            name = env.key
            value_source {
              secret_key_ref {
                secret  = google_secret_manager_secret.database[env.value].secret_id
                version = "latest"
              }
            }
          }
        }

        volume_mounts {
          name       = "data"
          mount_path = local.data
        }
      }

      volumes {
        name = "data"
        gcs {
          bucket        = google_storage_bucket.data.name
          read_only     = true
          mount_options = ["uid=10001", "gid=10001", "file-mode=400", "dir-mode=500"]
        }
      }

      vpc_access {
        egress = "PRIVATE_RANGES_ONLY"
        network_interfaces {
          network    = google_compute_network.carapulse.id
          subnetwork = google_compute_subnetwork.carapulse.id
        }
      }
    }
  }

  depends_on = [
    google_secret_manager_secret_iam_member.database_url,
    google_secret_manager_secret_iam_member.database_owner_url,
    google_storage_bucket_iam_member.data,
  ]
}

resource "google_cloud_scheduler_job" "minute" {
  name             = "carapulse-minute"
  region           = var.region
  schedule         = "* * * * *"
  attempt_deadline = "${local.services["scheduler"].timeoutSeconds}s"

  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = google_cloud_run_v2_service.function["scheduler"].uri

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.audiences["scheduler"]
    }
  }
}
