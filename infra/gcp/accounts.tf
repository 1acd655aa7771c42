# One account for each function, with roles on single things and none on the project.
resource "google_service_account" "function" {
  for_each     = local.told
  account_id   = "carapulse-${each.key}"
  display_name = each.value.metadata.annotations["carapulse.dev/description"]
}

# Pub/Sub and Cloud Scheduler call the functions as this one. It may do nothing: the functions know it by its tokens.
resource "google_service_account" "push" {
  account_id   = "carapulse-push"
  display_name = "Calls the functions of Carapulse"
}

locals {
  members = { for name, each in google_service_account.function : name => "serviceAccount:${each.email}" }
  pubsub  = "serviceAccount:service-${data.google_project.here.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  # Whoever commits messages publishes all that are due, so each service publishes to each queue.
  publishing = { for pair in setproduct(keys(local.services), values(local.fed)) : join("/", pair) => pair }
  # `execution` makes steps and `collection` reads systems; what `api` says of an action it says without a secret.
  reading = { for pair in setproduct(["collection", "execution"], var.tool_secrets) : join("/", pair) => pair }
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = local.publishing
  topic    = google_pubsub_topic.queue[each.value[1]].id
  role     = "roles/pubsub.publisher"
  member   = local.members[each.value[0]]
}

resource "google_secret_manager_secret_iam_member" "database_url" {
  for_each  = local.told
  secret_id = google_secret_manager_secret.database["url"].id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.members[each.key]
}

resource "google_secret_manager_secret_iam_member" "database_owner_url" {
  for_each  = local.jobs
  secret_id = google_secret_manager_secret.database["owner-url"].id
  role      = "roles/secretmanager.secretAccessor"
  member    = local.members[each.key]
}

resource "google_secret_manager_secret_iam_member" "tools" {
  for_each  = local.reading
  secret_id = each.value[1]
  role      = "roles/secretmanager.secretAccessor"
  member    = local.members[each.value[0]]
}

resource "google_storage_bucket_iam_member" "data" {
  for_each = local.told
  bucket   = google_storage_bucket.data.name
  role     = "roles/storage.objectViewer"
  member   = local.members[each.key]
}

# `execution` keeps outputs, `scheduler` archives and forgets. To put a blob again makes it young again, for which Cloud
# Storage wants the permission to delete.
resource "google_storage_bucket_iam_member" "blobs" {
  for_each = toset(["execution", "scheduler"])
  bucket   = google_storage_bucket.blobs.name
  role     = "roles/storage.objectUser"
  member   = local.members[each.key]
}

# Who asks is shown outputs and archives.
resource "google_storage_bucket_iam_member" "blobs_shown" {
  for_each = toset(["api"])
  bucket   = google_storage_bucket.blobs.name
  role     = "roles/storage.objectViewer"
  member   = local.members[each.key]
}

# What Pub/Sub itself needs: to sign as the account that pushes, and to move what nobody takes to the dead letters.
resource "google_service_account_iam_member" "pubsub_signs" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub
}

resource "google_pubsub_topic_iam_member" "pubsub_buries" {
  for_each = google_pubsub_topic.dead
  topic    = each.value.id
  role     = "roles/pubsub.publisher"
  member   = local.pubsub
}

resource "google_pubsub_subscription_iam_member" "pubsub_takes" {
  for_each     = google_pubsub_subscription.queue
  subscription = each.value.id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub
}
