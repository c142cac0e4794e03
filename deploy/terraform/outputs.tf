output "source_definition_id" {
  value = airbyte_source_definition.zendesk_chat.id
}

output "connection_ids" {
  description = "By account: to trigger a sync, or to inspect its state"
  value       = { for name, connection in airbyte_connection.account : name => connection.connection_id }
}

output "minutes" {
  description = "By account: the minute of the hour at which its sync begins"
  value       = local.minutes
}
