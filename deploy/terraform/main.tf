# One connection for each Zendesk Chat account, into one destination, each account in a schema of its own.
terraform {
  required_version = ">= 1.8"
  required_providers {
    airbyte = {
      source  = "airbytehq/airbyte"
      version = "~> 1.3"
    }
  }
}

provider "airbyte" {
  server_url    = var.airbyte_url
  client_id     = var.airbyte_client_id
  client_secret = var.airbyte_client_secret
}

locals {
  names = sort(keys(var.accounts))

  # Syncs begin spread over the hour: they share the cluster and the destination, though no account's limit of requests.
  minutes = { for position, name in local.names : name => floor(position * 60 / length(local.names)) }

  sync_modes = {
    accounts               = "full_refresh_overwrite"
    agents                 = "incremental_deduped_history"
    agent_events           = "incremental_deduped_history"
    agent_routing_settings = "incremental_deduped_history"
    agent_timeline         = "incremental_deduped_history"
    bans                   = "incremental_deduped_history"
    chats                  = "incremental_deduped_history"
    chat_conversions       = "incremental_deduped_history"
    chat_engagements       = "incremental_deduped_history"
    chat_events            = "incremental_deduped_history"
    chat_webpaths          = "incremental_deduped_history"
    conversions            = "incremental_deduped_history"
    departments            = "full_refresh_overwrite"
    department_events      = "incremental_deduped_history"
    goals                  = "full_refresh_overwrite"
    roles                  = "full_refresh_overwrite"
    routing_settings       = "full_refresh_overwrite"
    shortcuts              = "full_refresh_overwrite"
    skills                 = "full_refresh_overwrite"
    triggers               = "full_refresh_overwrite"
    visitors               = "incremental_deduped_history"
  }
}

resource "airbyte_source_definition" "zendesk_chat" {
  workspace_id      = var.workspace_id
  name              = "Zendesk Chat (custom)"
  docker_repository = var.image
  docker_image_tag  = var.image_tag
}

resource "airbyte_source" "account" {
  for_each = var.accounts

  workspace_id  = var.workspace_id
  name          = "Zendesk Chat ${each.key}"
  definition_id = airbyte_source_definition.zendesk_chat.id
  configuration = jsonencode({
    subdomain  = each.value.subdomain
    start_date = each.value.start_date
    credentials = {
      credentials  = "access_token"
      access_token = var.access_tokens[each.key]
    }
  })

  # Measured: a read of all streams takes 50 to 160 MB whatever the account's size, a check below 35 MB; a read at the full 200
  # requests a minute uses a tenth of a core. Where chats are large, a first page of 40 MB takes 160 MB, one of 160 MB 225 MB.
  resource_allocation = {
    default = {
      cpu_request    = "100m"
      memory_request = "64Mi"
      memory_limit   = "128Mi"
    }
    job_specific = [{
      job_type = "sync"
      resource_requirements = {
        cpu_request    = "100m"
        memory_request = "192Mi"
        memory_limit   = "512Mi"
      }
    }]
  }
}

resource "airbyte_connection" "account" {
  for_each = var.accounts

  name                                 = "Zendesk Chat ${each.key}"
  source_id                            = airbyte_source.account[each.key].source_id
  destination_id                       = var.destination_id
  status                               = each.value.active ? "active" : "inactive"
  namespace_definition                 = "custom_format"
  namespace_format                     = "zendesk_chat_${replace(each.key, "-", "_")}"
  non_breaking_schema_updates_behavior = "propagate_columns"

  schedule = {
    schedule_type   = "cron"
    cron_expression = "0 ${local.minutes[each.key]} * * * ? UTC"
  }

  configurations = {
    streams = [
      for stream in each.value.streams : {
        name      = stream
        sync_mode = local.sync_modes[stream]
      }
    ]
  }
}
