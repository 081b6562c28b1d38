// The broker's say over a queue's settings: what was set at run time, over the configuration, over the
// defaults.
#include "core/broker.h"

namespace pqd {

const QueueSettings& Broker::configured(std::string_view queue) const {
  const auto named = options_.queues.find(std::string(queue));
  return named != options_.queues.end() ? named->second : options_.defaults;
}

QueueSettings Broker::wanted_settings(const QueueEntry& entry) const {
  QueueSettings wanted = configured(entry.name);
  copy_settings(wanted, entry.settings, entry.overridden);
  return wanted;
}

bool Broker::is_elsewhere(std::string_view queue) const {
  return options_.partitions > 1 && partition_of(queue, options_.partitions) != options_.partition;
}

// Nobody who knows of partitions comes here with another one's queue.
Error Broker::refuse_elsewhere(const Origin& origin) {
  misrouted_.push_back(origin.session);
  return Error::kInvalidRequest;
}

// Why there is no such queue and none was made: it is another partition's, the configuration allows no
// others, or there are too many.
Error Broker::no_queue(const Origin& origin, std::string_view name) {
  if (is_elsewhere(name)) return refuse_elsewhere(origin);
  return state_.tables.queue_count() >= limits::kQueuesMax ? Error::kInvalidRequest : Error::kNotFound;
}

// Lower limits than what is there are good: they take effect as jobs leave.
Error Broker::configure_queue(const Origin& origin, ByteView record) {
  const auto parsed = read_queue_configure(record);
  if (!parsed) return parsed.error();
  if (!rights(origin.session).admin()) return Error::kUnauthorized;
  const auto queue = state_.tables.find_queue(parsed->queue);
  if (!queue) return is_elsewhere(parsed->queue) ? refuse_elsewhere(origin) : Error::kNotFound;
  const QueueEntry& entry = state_.tables.queue(*queue);
  QueueOverridden event{*queue, configured(entry.name), 0, origin.session};
  if (parsed->head.keys != 0) {
    event.settings = entry.settings;
    event.keys = entry.overridden | parsed->head.keys;
    copy_settings(event.settings, parsed->head.settings, parsed->head.keys);
    if (event.settings.backoff_first_ms > event.settings.backoff_cap_ms) return Error::kInvalidRequest;
  }
  emit(event);
  return Error::kOk;
}

}  // namespace pqd
