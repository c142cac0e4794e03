variable "airbyte_url" {
  description = "Airbyte's API, such as http://localhost:8000/api/public/v1/"
  type        = string
}

variable "airbyte_client_id" {
  description = "Of an application: User settings > Applications, or `abctl local credentials`"
  type        = string
  sensitive   = true
}

variable "airbyte_client_secret" {
  type      = string
  sensitive = true
}

variable "workspace_id" {
  type = string
}

variable "destination_id" {
  description = "The destination that all accounts share"
  type        = string
}

variable "image" {
  description = "The image without its tag, where the cluster can pull it"
  type        = string
}

variable "image_tag" {
  type = string
}

variable "accounts" {
  description = "The accounts by a name of your own, which names the schema too"
  type = map(object({
    subdomain  = string
    start_date = optional(string, "2015-01-01T00:00:00Z")
    active     = optional(bool, true)
    streams = optional(set(string), [
      "accounts", "agents", "agent_events", "agent_routing_settings", "agent_timeline", "bans", "chats",
      "chat_conversions", "chat_engagements", "chat_events", "chat_webpaths", "conversions", "departments",
      "department_events", "goals", "roles", "routing_settings", "shortcuts", "skills", "triggers", "visitors",
    ])
  }))

  validation {
    condition     = alltrue([for name in keys(var.accounts) : can(regex("^[a-z0-9][a-z0-9-]*$", name))])
    error_message = "A name has lower-case letters, digits and hyphens only."
  }
}

variable "access_tokens" {
  description = "A Chat access token for each account, by the same names"
  type        = map(string)
  sensitive   = true
}
