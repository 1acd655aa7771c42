# Whoever works on a message gives it up by itself after CARAPULSE_MAX_DELIVERIES; what comes to the dead letters here is
# what no function of ours could take at all.
resource "google_pubsub_topic" "queue" {
  for_each                   = toset(values(local.fed))
  name                       = "carapulse-${each.key}"
  message_retention_duration = "604800s"
  depends_on                 = [google_project_service.used]
}

resource "google_pubsub_topic" "dead" {
  for_each   = google_pubsub_topic.queue
  name       = "carapulse-${each.key}-dead"
  depends_on = [google_project_service.used]
}

resource "google_pubsub_subscription" "queue" {
  for_each                   = local.fed
  name                       = google_pubsub_topic.queue[each.value].name
  topic                      = google_pubsub_topic.queue[each.value].id
  ack_deadline_seconds       = min(600, local.services[each.key].timeoutSeconds + 10)
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = google_cloud_run_v2_service.function[each.key].uri

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.audiences[each.key]
    }
  }

  retry_policy {
    minimum_backoff = "1s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead[each.value].id
    max_delivery_attempts = 20
  }

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "dead" {
  for_each                   = google_pubsub_topic.dead
  name                       = each.value.name
  topic                      = each.value.id
  message_retention_duration = "2678400s"

  expiration_policy {
    ttl = ""
  }
}
