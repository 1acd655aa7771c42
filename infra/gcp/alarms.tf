resource "google_monitoring_alert_policy" "dead_letters" {
  display_name          = "Carapulse: a message that no function could take"
  combiner              = "OR"
  notification_channels = var.notify

  dynamic "conditions" {
    for_each = google_pubsub_subscription.dead
    content {
      display_name = conditions.value.name
      condition_threshold {
        filter          = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.labels.subscription_id = \"${conditions.value.name}\""
        comparison      = "COMPARISON_GT"
        threshold_value = 0
        duration        = "0s"
        aggregations {
          alignment_period   = "60s"
          per_series_aligner = "ALIGN_MAX"
        }
      }
    }
  }

  documentation {
    content = "Either this installation did not write it (the event ForgedMessageSeen says so), or the database could not be asked for long. docs/how-to/use-the-queue-of-a-cloud.md"
  }
}

resource "google_monitoring_alert_policy" "waiting" {
  display_name          = "Carapulse: messages wait"
  combiner              = "OR"
  notification_channels = var.notify

  dynamic "conditions" {
    for_each = google_pubsub_subscription.queue
    content {
      display_name = conditions.value.name
      condition_threshold {
        filter          = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.labels.subscription_id = \"${conditions.value.name}\""
        comparison      = "COMPARISON_GT"
        threshold_value = 900
        duration        = "300s"
        aggregations {
          alignment_period   = "60s"
          per_series_aligner = "ALIGN_MAX"
        }
      }
    }
  }

  documentation {
    content = "The oldest message has not been taken for a quarter of an hour. Look at the function's log for call_refused and message_returned."
  }
}
