// What a request names for the first time: queues and types. There are only so many of both, they are never
// given back, and one user is let have a share of them.
#include <set>

#include "core/broker.h"

namespace pqd {

bool Broker::may_make_queue(std::string_view name) const {
  if (is_elsewhere(name) || state_.tables.queue_count() >= limits::kQueuesMax) return false;
  return !options_.strict_queues || name == "default" || options_.queues.contains(std::string(name));
}

// What speaks against the new names among these. Names nothing.
Error Broker::examine_names(const Origin& origin, std::string_view queue,
                            std::span<const std::string_view> types) {
  const Tables& tables = state_.tables;
  const uint32_t queues = tables.find_queue(queue) ? 0 : 1;
  if (queues != 0 && !may_make_queue(queue)) return no_queue(origin, queue);
  std::set<std::string_view> fresh;
  for (const std::string_view type : types)
    if (!tables.find_type(type)) fresh.insert(type);
  if (tables.type_count() + fresh.size() > limits::kTypesMax) return Error::kInvalidRequest;
  if (queues + fresh.size() == 0 || rights(origin.session).admin()) return Error::kOk;
  const NamesTaken taken = tables.names_taken(tables.uid_of(origin.session));
  const bool fits = taken.queues + queues <= limits::kQueuesPerUserMax &&
                    taken.types + fresh.size() <= limits::kTypesPerUserMax;
  return fits ? Error::kOk : Error::kInvalidRequest;
}

void Broker::make_queue(std::string_view name) {
  const auto named = options_.queues.find(std::string(name));
  emit(QueueCreated{static_cast<QueueNo>(state_.tables.queue_count()), std::string(name),
                    named != options_.queues.end() ? named->second : options_.defaults});
}

// Administrators take what they need.
void Broker::count_names(const Origin& origin, uint32_t queues, uint32_t types) {
  if (rights(origin.session).admin()) return;
  const uint32_t uid = state_.tables.uid_of(origin.session);
  const NamesTaken taken = state_.tables.names_taken(uid);
  emit(NamesCounted{uid, taken.queues + queues, taken.types + types});
}

QueueNo Broker::queue_for(const Origin& origin, std::string_view name) {
  if (const auto known = state_.tables.find_queue(name)) return *known;
  const auto queue = static_cast<QueueNo>(state_.tables.queue_count());
  make_queue(name);
  count_names(origin, 1, 0);
  return queue;
}

TypeNo Broker::type_for(const Origin& origin, std::string_view name) {
  if (const auto known = state_.tables.find_type(name)) return *known;
  const auto type = static_cast<TypeNo>(state_.tables.type_count());
  emit(TypeNamed{type, std::string(name)});
  count_names(origin, 0, 1);
  return type;
}

}  // namespace pqd
