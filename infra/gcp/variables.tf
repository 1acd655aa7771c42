variable "project" {
  description = "the id of the project"
  type        = string
}

variable "region" {
  description = "where everything is, such as europe-west3"
  type        = string
}

variable "image" {
  description = "the image of all functions, by its digest, so that nothing changes under its name"
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest: REPOSITORY@sha256:…"
  }
}

variable "notify" {
  description = "the notification channels that alarms go to, at least one"
  type        = list(string)
  validation {
    condition     = length(var.notify) > 0
    error_message = "An alarm that nobody hears is none."
  }
}

variable "tool_secrets" {
  description = "names of secrets of this project that connections refer to as gcp:PROJECT/NAME"
  type        = set(string)
  default     = []
}

variable "settings" {
  description = "more settings of every function, such as CARAPULSE_CONNECTIONS_FILE"
  type        = map(string)
  default     = {}
}

variable "database_tier" {
  description = "the size of the database's machine"
  type        = string
  default     = "db-custom-2-7680"
}

variable "blobs_kept_days" {
  description = "days that a deleted or replaced blob can be brought back"
  type        = number
  default     = 30
  validation {
    condition     = var.blobs_kept_days >= 7 && var.blobs_kept_days <= 90
    error_message = "Cloud Storage keeps what was deleted for 7 to 90 days."
  }
}
